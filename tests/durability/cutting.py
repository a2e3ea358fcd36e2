"""A proxy that passes bytes on and cuts some answers off in their middle."""

from __future__ import annotations

import random
import socket
import struct
import threading

CHUNK = 65536
# Closing with this option sends a reset, as a cable pulled out would look like to the other side.
AT_ONCE = struct.pack("ii", 1, 0)


class CuttingProxy:
    """Listens on a port of its own; ``cuts`` answers in all end in their middle.

    Requests pass whole, so the server has acted on what the client never heard about. That is the
    hard case: the client cannot know and must send again.
    """

    def __init__(self, port: int, *, cuts: int, share: float, seed: int) -> None:
        self.upstream, self.share = port, share
        self.left = self.wanted = cuts
        self.rng, self.lock = random.Random(seed), threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    @property
    def done(self) -> int:
        return self.wanted - self.left

    def start(self) -> None:
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        self.listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self.upstream), timeout=30)
        except OSError:
            client.close()
            return
        threading.Thread(target=self._forward, args=(client, server), daemon=True).start()
        self._answer(server, client)

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        try:
            while data := client.recv(CHUNK):
                server.sendall(data)
        except OSError:
            pass  # the other direction was cut
        finally:
            server.close()

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        try:
            while data := server.recv(CHUNK):
                if (length := self._cut_at(len(data))) is not None:
                    client.sendall(data[:length])
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
                    client.shutdown(socket.SHUT_RD)  # _forward lets go, so that closing is at once
                    return
                client.sendall(data)
        except OSError:
            pass  # the client is gone
        finally:
            client.close()
            server.close()

    def _cut_at(self, length: int) -> int | None:
        """Return after how many bytes this answer ends, or None if it passes."""
        with self.lock:
            if self.left == 0 or length < 2 or self.rng.random() > self.share:
                return None
            self.left -= 1
            return self.rng.randrange(1, length)
