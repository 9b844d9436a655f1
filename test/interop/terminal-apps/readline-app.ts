import { once } from "node:events";
import { createInterface } from "node:readline";
import { createInterface as createPromisesInterface } from "node:readline/promises";
import type { Session } from "../../../src/index.js";
import { terminalOf } from "./terminal-of.js";

/** Asks for a name, then answers lines until `exit`. */
export async function readlineApp(session: Session): Promise<number> {
  const { input, output } = terminalOf(session);
  const asking = createPromisesInterface({ input, output });
  const name = await asking.question("name? ", { signal: session.signal });
  asking.close();
  const lines = createInterface({ input, output, prompt: `${name}> `, completer: complete });
  lines.on("SIGINT", () => {
    output.write("interrupted\n");
    lines.prompt();
  });
  lines.on("line", (line) => {
    if (line === "exit") return lines.close();
    output.write(`got ${JSON.stringify(line)}\n`);
    lines.prompt();
  });
  lines.prompt();
  await once(lines, "close");
  return 7;
}

function complete(line: string): [string[], string] {
  return [["status", "stop"].filter((word) => word.startsWith(line)), line];
}
