/**
 * Answers every command with its own text.
 *
 *   npx tsx examples/exec-server.ts
 *   ssh -p 2222 admin@localhost hello    (password: secret)
 */
import { AUTH_FAILED, AUTH_SUCCESSFUL, createServer } from "spindlex";

const server = createServer({
  hostKey: "host_key",
  authentication: {
    password: (user, password) => (user === "admin" && password === "secret" ? AUTH_SUCCESSFUL : AUTH_FAILED),
  },
  session: ({ command, stdout }) => void stdout.write(`Executed: ${command}\n`),
});
await server.listen(Number(process.env.PORT ?? 2222));
process.once("SIGINT", () => server.close());
console.log(`Listening on ${server.address}:${server.port}`);
