import { literalText, splitCommandLine } from "../../../src/base/shell-words.js";
import { decodeName, encodeName, MAX_PATH_LENGTH } from "../../../src/files/path.js";
import { parseSCPCommand } from "../../../src/scp/scp-command.js";
import { assertTrue, type Harness } from "../engine/harness.js";

const COMMANDS = [
  "scp -t /x",
  "scp -r -p -d -t -- -dir",
  "scp -f 'a b' \"c*\"",
  "/usr/bin/scp -v -f ~/[a-c]?\\*",
  "ls",
];

/** Command lines of exec requests. */
export const harness: Harness = {
  name: "scp-command",
  seeds: COMMANDS.map((text) => Buffer.from(text)),
  memory: { base: 2 * 1024 * 1024, perByte: 1024 },
  shortRun: 3000,
  run(bytes) {
    const command = parseSCPCommand(bytes);
    if (command === undefined) return;
    assertTrue(splitCommandLine(decodeName(bytes)) !== undefined, "a command has no words");
    assertTrue(command.paths.length > 0, "a command has no path");
    for (const path of command.paths) {
      assertTrue(!path.includes("\0"), "a path holds NUL");
      const name = command.role === "sink" ? path : literalText(path);
      assertTrue(encodeName(name).length <= MAX_PATH_LENGTH, "a path is too long");
    }
  },
};
