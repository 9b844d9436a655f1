/**
 * A small program on the client's terminal: keys change a number, and it follows the size of the window.
 *
 *   npx tsx examples/terminal-app.ts
 *   ssh -p 2222 localhost
 */
import { AUTH_SUCCESSFUL, createServer, ExitError, type SessionTerminal } from "spindlex";

const CLEAR_SCREEN = "\u001b[2J\u001b[H";
const CONTROL_C = "\u0003";

async function count({ input, output }: SessionTerminal, user: string, signal: AbortSignal): Promise<void> {
  let number = 0;
  const draw = () => {
    const size = `${output.columns} by ${output.rows}`;
    output.write(`${CLEAR_SCREEN}Hello ${user}, your terminal is ${size}.\nCount: ${number}\n+, - or q to leave\n`);
  };
  input.setRawMode(true).setEncoding("utf8");
  output.on("resize", draw);
  draw();
  for await (const keys of input) {
    for (const key of String(keys)) {
      if (key === "q" || key === CONTROL_C || signal.aborted) return;
      if (key === "+") number++;
      else if (key === "-") number--;
    }
    draw();
  }
}

const server = createServer({
  hostKey: "host_key",
  authentication: { none: () => AUTH_SUCCESSFUL },
  session: async ({ terminal, user, signal }) => {
    if (terminal === undefined) throw new ExitError(1, "This program needs a terminal: ssh -t");
    await count(terminal, user, signal);
    terminal.output.write("Bye.\n");
  },
});
await server.listen(Number(process.env.PORT ?? 2222));
console.log(`Listening on ${server.address}:${server.port}`);
