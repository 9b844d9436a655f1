/**
 * A drop box over SFTP and scp: everybody puts files into `/incoming` and can do nothing to what is there. Files appear
 * when they are whole. The user `clerk` can do everything. The file `users` has a line for each, `NAME:HASH`.
 *
 *   mkdir -p box/incoming && touch users && chmod 600 users
 *   for name in ann clerk; do echo "$name:$(npx spindlex hash-password)" >>users; done
 *   npx tsx examples/drop-box.ts
 *   echo "put README.md incoming/readme" | sftp -P 2222 ann@localhost
 */
import { createServer, passwordFile } from "spindlex";
import { atomicUploads, LocalFileSystem, rules, sweepUploads } from "spindlex/sftp";

const files = new LocalFileSystem("box");
// What is left of uploads for more than a week is removed at the start and each night: few list the box.
await sweepUploads(files);
setInterval(() => sweepUploads(files).catch(console.error), 24 * 60 * 60 * 1000);
const access = rules([
  { path: "/**", users: ["clerk"], allow: "all" },
  { path: "/", allow: ["list", "stat"] },
  { path: "/incoming", allow: ["stat"] },
  { path: "/incoming/**", allow: ["create"] },
]);

const server = createServer({
  hostKey: "host_key",
  authentication: { password: passwordFile({ file: "users" }) },
  sftp: ({ user }) => ({ fileSystem: atomicUploads(files, { user }), access }),
});
await server.listen(Number(process.env.PORT ?? 2222));
console.log(`Listening on ${server.address}:${server.port}`);
