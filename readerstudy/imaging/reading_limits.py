"""What the reading of one untrusted file or series may cost.

A small file gets a small allowance, whatever its header claims; a large one gets more in
proportion to its bytes on disk, which no header can lie about.
"""

from dataclasses import dataclass

MIB = 2**20


@dataclass(frozen=True)
class Allowance:
    """What one request to the reading process may use.

    Attributes
    ----------
    memory_bytes : int
        Address space over that of the idle process.
    cpu_s : float
        Processor time.
    wall_s : float
        Time on the clock.
    written_bytes : int
        Size of any file it writes.
    """

    memory_bytes: int
    cpu_s: float
    wall_s: float
    written_bytes: int


@dataclass(frozen=True)
class ReadingLimits:
    """Limits for reading files of unknown origin.

    With the defaults a file of a few MiB may use 352 MiB over the idle process (some 65 MiB) and
    10 s of processor time. A series of 512 x 512 x 400 voxels gets what it needs: 400 MiB of
    float32 on disk may use 3 GiB and 410 s, the same as 70 MiB of JPEG 2000 912 MiB and 100 s.

    Attributes
    ----------
    memory_mb : int
        Address space over that of the idle process, in MiB, for any file.
    memory_mb_per_mb : float
        More of it for each MiB on disk.
    most_memory_mb : int
        Never more than this.
    cpu_s : float
        Processor time in seconds, for any file.
    cpu_s_per_mb, cpu_s_per_file : float
        More of it for each MiB on disk, and for each file of a series or folder.
    most_cpu_s : float
        Never more than this.
    wall_factor : float
        Time on the clock as a multiple of the processor time.
    written_mb : int
        Largest array, in MiB, that may be handed back.
    """

    memory_mb: int = 352
    memory_mb_per_mb: float = 8.0
    most_memory_mb: int = 3072
    cpu_s: float = 10.0
    cpu_s_per_mb: float = 1.0
    cpu_s_per_file: float = 0.05
    most_cpu_s: float = 900.0
    wall_factor: float = 3.0
    written_mb: int = 1024

    def __post_init__(self) -> None:
        low = [name for name, value in vars(self).items() if value < 0]
        if low or min(self.memory_mb, self.cpu_s, self.wall_factor, self.written_mb) <= 0:
            raise ValueError("Limits for reading images must be positive numbers.")

    def for_load(self, size: int, files: int) -> Allowance:
        """Allowance for one series of ``files`` files with ``size`` bytes on disk."""
        memory = self.memory_mb + self.memory_mb_per_mb * size / MIB
        cpu = self.cpu_s + self.cpu_s_per_mb * size / MIB + self.cpu_s_per_file * (files - 1)
        return self._allow(memory, cpu)

    def for_find(self, size: int, files: int) -> Allowance:
        """Allowance for looking through the headers of ``files`` files of ``size`` bytes."""
        cpu = self.cpu_s + self.cpu_s_per_mb * size / MIB + 2 * self.cpu_s_per_file * files
        return self._allow(self.memory_mb + files * 0.01, cpu)

    def _allow(self, memory_mb: float, cpu_s: float) -> Allowance:
        most = max(self.most_memory_mb, self.memory_mb)
        cpu = min(cpu_s, max(self.most_cpu_s, self.cpu_s))
        return Allowance(
            memory_bytes=int(min(memory_mb, most) * MIB),
            cpu_s=cpu,
            wall_s=cpu * self.wall_factor,
            written_bytes=self.written_mb * MIB,
        )
