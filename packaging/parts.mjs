/**
 * What many servers do not need, and none when it is imported: each is a chunk of its own, which is loaded when something of it is
 * used first. By the paths of modules; what runs while a door is loaded cannot be in one.
 */
const PARTS = {
  cluster: /\/src\/cluster\/(?!serve-with-workers|worker-errors|calls\/line-error)/,
  forwarding: /\/src\/forwarding\/(?!join\.|open-fields|tcp\/allow-targets|tcp\/special-|agent\/agent-error)/,
  "special-networks": /\/src\/forwarding\/tcp\/special-networks/,
  files: /\/src\/files\//,
  sftp: /\/src\/sftp\/(?!index|server\/sftp-server\.)/,
  scp: /\/src\/scp\/(?!scp-server|scp-command)/,
  terminals: /\/src\/(process|session)\/terminal\/(?!open-terminals)/,
  zlib: /\/node_modules\/pako\//,
  "post-quantum": /\/node_modules\/@noble\//,
  "bcrypt-pbkdf": /\/node_modules\/(bcrypt-pbkdf|tweetnacl)\/|\/key-formats\/derive-key/,
};

/**
 * How rolldown cuts what `entries` have in common.
 *
 * @param {readonly string[]} entries modules, as absolute paths
 */
export function chunkGroups(entries) {
  const parts = Object.entries(PARTS).map(([name, test]) => ({ name, test, priority: 1 }));
  // No module is in the file of an entry: what parts take from it would be added to what that exports.
  const core = { name: "core", test: (id) => id.includes("/src/") && !entries.includes(id), entriesAware: true };
  return [...parts, core].map((group) => ({ ...group, includeDependenciesRecursively: false }));
}

/** Code of a chunk that loads parts when they are used, as rolldown's code, which loads them at once, does not. */
export function loadPartsWhenUsed(code) {
  const names = Object.keys(PARTS).join("|");
  const load = new RegExp(`^const (require_[\\w$]+) = (require\\("\\.[^"]*/(?:${names})-[^/"]+\\.js"\\));$`, "gm");
  return [...code.matchAll(load)].reduce((result, [line, variable, call]) => {
    const [before, after, ...more] = result.split(line);
    if (after === undefined || more.length > 0) throw new Error(`not once: ${line}`);
    const [first, ...uses] = after.split(new RegExp(`\\b${variable.replaceAll("$", "\\$")}\\b(?![\\w$])`));
    if (!uses.every((use) => use.startsWith("."))) throw new Error(`${variable} is used as a whole`);
    const whenUsed = `{ get loaded() { const value = ${call}; Object.defineProperty(this, "loaded", { value }); return value; } }`;
    return [before, `const ${variable} = ${whenUsed};`, [first, ...uses].join(`${variable}.loaded`)].join("");
  }, code);
}
