/**
 * git over SSH for the bare repositories of the folder `repositories`. `access.json` has the users of each, like
 * { "project.git": { "ann": "write", "bob": "read" } }. No shell is involved, and only git's two programs are started.
 *
 *   git init --bare repositories/project.git
 *   npx tsx examples/git-server.ts
 *   git clone ssh://ann@localhost:2222/project.git
 */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { authorizedKeys, createServer, ExitError, type Session } from "spindlex";

type Right = "read" | "write";
const access = new Map<string, Record<string, Right>>(Object.entries(JSON.parse(readFileSync("access.json", "utf8"))));
const programs = new Map<string | undefined, { readonly name: string; readonly rights: readonly Right[] }>([
  ["git-upload-pack", { name: "upload-pack", rights: ["read", "write"] }],
  ["git-receive-pack", { name: "receive-pack", rights: ["write"] }],
]);

function serve(session: Session) {
  const [word, path = "", ...more] = session.argv();
  const program = programs.get(word);
  if (program === undefined || more.length > 0) throw new ExitError(1, "This server has git repositories only.");
  const repository = path.replace(/^\//, "");
  const users = new Map(Object.entries(access.get(repository) ?? {}));
  const right = users.get(session.user);
  if (right === undefined) throw new ExitError(128, "There is no such repository.");
  if (!program.rights.includes(right)) throw new ExitError(128, "You may read this repository, and not write it.");
  return session.run(["git", program.name, resolve("repositories", repository)]);
}

const server = createServer({
  hostKey: "host_key",
  authentication: { publicKey: authorizedKeys({ file: "keys/%u" }) },
  session: serve,
});
await server.listen(Number(process.env.PORT ?? 2222));
console.log(`Listening on ${server.address}:${server.port}`);
