/**
 * A shell of this machine, as the user who runs this program, for everybody who has a key in `keys/NAME`.
 *
 *   mkdir keys && cp ~/.ssh/id_ed25519.pub keys/$USER
 *   npx tsx examples/shell-server.ts
 *   ssh -p 2222 localhost
 */
import { authorizedKeys, createServer } from "spindlex";

const server = createServer({
  hostKey: "host_key",
  authentication: { publicKey: authorizedKeys({ file: "keys/%u" }) },
  session: (session) => session.run(session.command === undefined ? { loginShell: true } : { shell: session.command }),
});
await server.listen(Number(process.env.PORT ?? 2222));
console.log(`Listening on ${server.address}:${server.port}`);
