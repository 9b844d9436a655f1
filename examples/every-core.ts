/**
 * Runs the login shell for everybody who has a key, with a process for each processor.
 * SIGHUP starts the program anew, and no client notices.
 *
 *   mkdir keys && cp ~/.ssh/id_ed25519.pub keys/$USER
 *   npx tsx examples/every-core.ts
 *   ssh -p 2222 localhost
 *
 * Terminals, as of a plain `ssh`, need a package: npm install @lydell/node-pty
 */
import { authorizedKeys, createServer, serveWithWorkers } from "spindlex";

const { PORT = "2222", WORKERS = "auto" } = process.env;

const workers = await serveWithWorkers({
  workers: WORKERS === "auto" ? WORKERS : Number(WORKERS),
  logger: "info",
  start: async ({ worker }) => {
    const server = createServer({
      hostKey: "host_key",
      authentication: { publicKey: authorizedKeys({ file: "keys/%u" }) },
      session: async (session) => {
        session.stderr.write(`This is worker ${worker}.\n`);
        return session.run({ loginShell: true });
      },
    });
    await server.listen(Number(PORT));
  },
});
console.log(`Listening on ${workers.address}:${workers.port}`);

process.on("SIGHUP", () => workers.reload().catch(() => console.error("the old workers stay")));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => workers.close());
await workers.ended;
