import { join } from "node:path";
import { expect, vi } from "vitest";
import { RunningProcess } from "../examples/running-process.js";
import { TOOLS } from "./clients.js";

/** Listens on a datagram socket as systemd does, and writes a line of JSON for each message. */
const RECEIVER = `
import json, os, socket, sys
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1])
print("ready", flush=True)
while True:
    print(json.dumps(receiver.recv(65536).decode()), flush=True)
`;

/** Becomes the program behind a list of places, whose sockets it has opened: a port of loopback, a path, or no place at all. */
const ACTIVATOR = `
import os, socket, sys
places = sys.argv[1].split(",")
sockets = []
for place in places:
    if place == "datagram":
        sockets.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        continue
    family = socket.AF_UNIX if place.startswith("/") else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    opened.bind(place if family == socket.AF_UNIX else ("127.0.0.1", int(place)))
    opened.listen(16)
    sockets.append(opened)
for number, opened in enumerate(sockets):
    os.dup2(opened.fileno(), 50 + number)
for number in range(len(sockets)):
    os.dup2(50 + number, 3 + number)
    os.close(50 + number)
os.environ["LISTEN_FDS"] = str(len(sockets))
os.environ["LISTEN_PID"] = str(os.getpid())
os.execvp(sys.argv[2], sys.argv[2:])
`;

/** What systemd is told: a datagram socket of the test. */
export class Notifications implements AsyncDisposable {
  readonly socket: string;
  readonly #process: RunningProcess;

  private constructor(socket: string, process: RunningProcess) {
    this.socket = socket;
    this.#process = process;
  }

  /** @param folder with nothing of this name in it */
  static async listen(folder: string): Promise<Notifications> {
    const socket = join(folder, "notify");
    const process = new RunningProcess(TOOLS.python3, ["-c", RECEIVER, socket]);
    await process.output(/ready\n/);
    return new Notifications(socket, process);
  }

  /** The messages so far, each with its lines; not those by which systemd-notify waits until they were read. */
  get messages(): readonly (readonly string[])[] {
    const lines = this.#process.stdout.split("\n").slice(1, -1);
    return lines.map((line) => (JSON.parse(line) as string).split("\n")).filter(([line]) => line !== "BARRIER=1");
  }

  /** Resolves when so many messages of a kind have come. */
  async received(pattern: RegExp, times = 1): Promise<void> {
    const count = () => this.messages.filter((lines) => lines.some((line) => pattern.test(line))).length;
    await vi.waitFor(() => expect(count()).toBeGreaterThanOrEqual(times), { timeout: 10_000 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.kill();
  }
}

/**
 * Starts a program as a socket unit does.
 *
 * @param places ports of loopback, paths of sockets, and `datagram` for one that nobody can listen on
 * @param command the program and its arguments
 */
export function activate(
  places: readonly (number | string)[],
  command: readonly string[],
  environment: NodeJS.ProcessEnv,
): RunningProcess {
  return new RunningProcess(TOOLS.python3, ["-c", ACTIVATOR, places.join(","), ...command], environment);
}
