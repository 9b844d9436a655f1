/**
 * A jump host: leads each user on to the hosts that a list has for the name, and runs nothing itself. The list,
 * `bastion.json`, is like { "ann": ["db.internal:22", "10.0.0.0/8:22"], "bob": ["*.example.com:443"] }.
 *
 *   npx tsx examples/bastion.ts
 *   ssh -J ann@localhost:2222 root@db.internal
 */
import { readFileSync } from "node:fs";
import { allowTargets, authorizedKeys, createServer } from "spindlex";

const server = createServer({
  hostKey: "host_key",
  authentication: { publicKey: authorizedKeys({ file: "keys/%u" }) },
  forwarding: { local: allowTargets({ targets: JSON.parse(readFileSync("bastion.json", "utf8")) }) },
  logger: "info",
});
await server.listen(Number(process.env.PORT ?? 2222));
process.once("SIGINT", () => server.close());
console.log(`Listening on ${server.address}:${server.port}`);
