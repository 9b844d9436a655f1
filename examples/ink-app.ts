/**
 * A React application on the client's terminal, with Ink.
 *
 *   npm install ink react
 *   npx tsx examples/ink-app.ts
 *   ssh -p 2222 localhost
 */
import { render, Text, useInput } from "ink";
import { createElement, useState } from "react";
import { AUTH_SUCCESSFUL, createServer, ExitError } from "spindlex";

function Counter() {
  const [count, setCount] = useState(0);
  useInput(() => setCount((previous) => previous + 1));
  return createElement(Text, { color: "green" }, `${count} keys, ^C to leave`);
}
const server = createServer({
  hostKey: "host_key",
  authentication: { none: () => AUTH_SUCCESSFUL },
  session: async ({ terminal, signal }) => {
    if (terminal === undefined) throw new ExitError(1, "This program needs a terminal: ssh -t");
    const app = render(createElement(Counter), { stdin: terminal.input, stdout: terminal.output, patchConsole: false });
    signal.addEventListener("abort", () => app.unmount());
    await app.waitUntilExit();
  },
});
await server.listen(Number(process.env.PORT ?? 2222));
console.log(`Listening on ${server.address}:${server.port}`);
