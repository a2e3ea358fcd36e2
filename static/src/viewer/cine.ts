/** Plays the slices one after another. */
const SPEEDS = [2, 4, 8, 12, 16, 24];

export class Cine {
  private speed = 2;
  private timer: number | null = null;

  constructor(private readonly step: (by: 1) => void) {}

  get playing(): boolean {
    return this.timer !== null;
  }

  get note(): string {
    return this.playing ? `Playing, ${this.perSecond} slices/s` : "";
  }

  toggle(): void {
    if (this.playing) this.stop();
    else this.play();
  }

  change(by: 1 | -1): void {
    this.speed = Math.min(SPEEDS.length - 1, Math.max(0, this.speed + by));
    if (this.playing) this.play();
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }

  private get perSecond(): number {
    return SPEEDS[this.speed] as number;
  }

  private play(): void {
    this.stop();
    this.timer = window.setInterval(() => this.step(1), 1000 / this.perSecond);
  }
}
