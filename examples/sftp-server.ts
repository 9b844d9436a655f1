/**
 * SFTP and scp for many users. Each sees a folder of their own, `homes/NAME`, which is made if it is not there. Files
 * appear in it when they are whole. The file `users` has a line for each, `NAME:HASH`.
 *
 *   mkdir homes && touch users && chmod 600 users && echo "ann:$(npx spindlex hash-password)" >>users
 *   npx tsx examples/sftp-server.ts
 *   sftp -P 2222 ann@localhost
 */
import { createServer, homes, passwordFile } from "spindlex";

const server = createServer({
  hostKey: "host_key",
  authentication: { password: passwordFile({ file: "users" }) },
  sftp: homes({ root: "homes", atomicUploads: true }),
});
await server.listen(Number(process.env.PORT ?? 2222));
console.log(`Listening on ${server.address}:${server.port}`);
