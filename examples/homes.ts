/**
 * Files of thousands of users. Each has a home with a quota, `homes/NAME`, which is made at the first login, reads the
 * folder `docs` and shares the folder `team` with all others. `/incoming` is a drop box: everybody puts files there,
 * and can do nothing to what is there. Files appear when they are whole. The file `users` has a line for each,
 * `NAME:HASH`.
 *
 *   mkdir homes docs && touch users && chmod 600 users && echo "ann:$(npx spindlex hash-password)" >>users
 *   npx tsx examples/homes.ts
 *   sftp -P 2222 ann@localhost
 */
import { createServer, homes, passwordFile } from "spindlex";
import { LocalFileSystem, quota, rules } from "spindlex/sftp";

const GIB = 2 ** 30;

const server = createServer({
  hostKey: "host_key",
  authentication: { password: passwordFile({ file: "users" }) },
  sftp: homes({
    root: "homes",
    quota: (user) => ({
      bytes: 10 * GIB,
      warnAt: 0.9,
      onWarning: ({ left }) => console.warn(`${user} has ${left} bytes left`),
    }),
    shared: {
      "/docs": "docs",
      "/team": quota(new LocalFileSystem("team"), { bytes: 100 * GIB }),
      "/incoming": new LocalFileSystem("incoming"),
    },
    access: rules([
      { path: "/incoming", allow: ["stat"] },
      { path: "/incoming/**", allow: ["create"] },
      { path: "/**", allow: "all" },
    ]),
    atomicUploads: true,
    onUpload: ({ user, path, bytes, outcome }) => console.log(`${user} ${path} ${bytes} bytes ${outcome.result}`),
  }),
});
await server.listen(Number(process.env.PORT ?? 2222));
console.log(`Listening on ${server.address}:${server.port}`);
