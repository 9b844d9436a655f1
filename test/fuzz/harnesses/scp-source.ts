import type { Harness } from "../engine/harness.js";
import { smallFileSystem } from "../support/files.js";
import { joinMessages, splitMessages } from "../support/messages.js";
import { runSCP } from "../support/scp-session.js";

const COMMANDS = ["scp -f one", "scp -r -f /", "scp -p -f /dir/*", "scp -f '/b [x]' /?.txt", "scp -r -f /[!a]* ../l*"];
const YES = Buffer.alloc(40);

/** What a client's scp asks for: the command line, then its answers. */
export const harness: Harness = {
  name: "scp-source",
  seeds: COMMANDS.map((command) => joinMessages([Buffer.from(command), YES])),
  maximumTime: 1000,
  shortRun: 400,
  async run(bytes) {
    const [command = Buffer.alloc(0), ...answers] = splitMessages(bytes);
    await runSCP(command, answers, smallFileSystem());
  },
};
