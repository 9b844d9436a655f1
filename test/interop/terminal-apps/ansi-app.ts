import { on, once } from "node:events";
import { createInterface } from "node:readline/promises";
import type { ProgramEnd, Session } from "../../../src/index.js";
import { terminalOf } from "./terminal-of.js";

const ALTERNATE_SCREEN = "\u001b[?1049h";
const HIDDEN_CURSOR = "\u001b[?25l";
const MOUSE_AND_PASTE = "\u001b[?1000h\u001b[?2004h";

/** Takes the whole screen, and throws at q without having tidied up. */
export async function ansiApp(session: Session): Promise<void> {
  const terminal = terminalOf(session);
  const { input, output } = terminal;
  output.write("before\n");
  output.write(`${ALTERNATE_SCREEN}${HIDDEN_CURSOR}${MOUSE_AND_PASTE}\u001b[31m`);
  const draw = () => {
    output.cursorTo(0, 0);
    output.clearScreenDown();
    output.write(`${terminal.term} ${output.columns}x${output.rows}, ${output.getColorDepth()} bits\n`);
  };
  output.on("resize", draw);
  draw();
  input.setRawMode(true);
  for await (const [keys] of on(input, "data", { signal: session.signal })) {
    if (`${keys}` === "q") throw new Error("without having tidied up");
    output.write(`key ${JSON.stringify(`${keys}`)}\n`);
  }
}

/** Takes the whole screen, and hears of nothing. */
export async function idleApp(session: Session): Promise<void> {
  terminalOf(session).output.write(`before\n${ALTERNATE_SCREEN}idle\n`);
  await once(session.signal, "abort");
}

/** Reads lines that the terminal edits, until the end of its input. */
export async function lineApp({ stdin, stdout }: Session): Promise<void> {
  stdout.write("lines, please\n");
  for await (const line of stdin) stdout.write(`got ${JSON.stringify(`${line}`)}\n`);
  stdout.write("end\n");
}

/** Says which signals are typed, until it is QUIT. */
export async function signalApp(session: Session): Promise<void> {
  const signals = session.signals();
  session.stdout.write("signals, please\n");
  for await (const name of signals) {
    session.stdout.write(` ${name}\n`);
    if (name === "QUIT") return;
  }
}

/** Writes without end, and does not read. */
export async function floodApp(session: Session): Promise<void> {
  const { stdout } = session;
  let interrupted = false;
  const interruption = session
    .signals()
    .next()
    .then(() => {
      interrupted = true;
    });
  while (!interrupted) {
    if (!stdout.write(`${"y".repeat(79)}\n`.repeat(100))) await Promise.race([once(stdout, "drain"), interruption]);
    else await new Promise((resolve) => setImmediate(resolve));
  }
  stdout.write("\nstopped\n");
}

/** Leaves the terminal to another program, and goes on behind it. */
export async function menuApp(session: Session): Promise<ProgramEnd> {
  const { input, output } = terminalOf(session);
  const menu = createInterface({ input, output });
  const name = await menu.question("program? ", { signal: session.signal });
  menu.close();
  const end = await session.run(["sh", "-c", `echo in ${name}; stty size; read line; echo "has read $line"; exit 5`]);
  const after = createInterface({ input, output });
  await after.question("again? ", { signal: session.signal });
  after.close();
  return end;
}
