/**
 * Greets everybody.
 *
 *   npx tsx examples/hello.ts
 *   ssh -p 2222 localhost
 */
import { AUTH_SUCCESSFUL, createServer } from "spindlex";

const server = createServer({
  hostKey: "host_key",
  authentication: { none: () => AUTH_SUCCESSFUL },
  session: ({ user, stdout }) => void stdout.write(`hello ${user}\n`),
});
await server.listen(Number(process.env.PORT ?? 2222));
console.log(`Listening on ${server.address}:${server.port}`);
