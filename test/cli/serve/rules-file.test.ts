import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadRules } from "../../../src/cli/serve/rules-file.js";
import type { AccessContext } from "../../../src/sftp/index.js";
import { temporaryFolder } from "../../support/tools.js";

const asUser = (user: string): AccessContext => ({ user, connection: { username: user } });

describe("a file of rules", () => {
  const path = join(temporaryFolder(), "rules.json");
  const load = (content: unknown) => {
    writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content), { mode: 0o644 });
    return loadRules(path);
  };

  it("has rules, and the groups that they name", async () => {
    const access = await load({
      rules: [
        { path: "/in/**", groups: ["customers"], allow: ["create"] },
        { path: "/**", users: ["ann"], allow: "all" },
        { path: "/\udcff", allow: ["read"] },
      ],
      groups: { customers: ["ben", "cid"], staff: [] },
    });
    expect(access("create", "/in/x", asUser("ben"))).toBe(true);
    expect(access("delete", "/in/x", asUser("ben"))).toBe(false);
    expect(access("create", "/in/x", asUser("dan"))).toBe(false);
    expect(access("delete", "/in/x", asUser("ann"))).toBe(true);
    expect(access("read", "/\udcff", asUser("dan"))).toBe(true);
  });

  it("of the page about the command is one", async () => {
    const page = readFileSync("docs/serve-command.md", "utf8");
    const [, block = ""] = /```json\n(\{\n {2}"rules".*?)```/s.exec(page) ?? [];
    const access = await load(block);
    expect(access("create", "/incoming/x", asUser("cid"))).toBe(true);
    expect(access("read", "/incoming/x", asUser("cid"))).toBe(false);
    expect(access("read", "/incoming/x", asUser("ann"))).toBe(true);
  });

  const read = { path: "/**", allow: ["read"] };
  it.each<[what: string, content: unknown, message: string | RegExp]>([
    ["is no JSON", "{ rules: [] }", /^--rules \S+\/rules\.json: line 1, column 3: JSON has no "r" here$/],
    ["has a comment", '{\n  "rules": [] // none\n}', "rules.json: line 2, column 15: JSON has no comments"],
    ["is a list", [read], 'must be an object with "rules"'],
    ["has no rules", { groups: {} }, 'must be an object with "rules"'],
    ["has something else", { rules: [read], users: {} }, '"users" is not known'],
    ["has an empty list", { rules: [] }, "rules: has no rule"],
    [
      "has another operation",
      { rules: [read, { path: "/", allow: ["write"] }] },
      "rules.json: rules[1].allow[0]: there is no operation",
    ],
    [
      "has another option",
      { rules: [{ ...read, user: "ann" }] },
      "rules.json: rules[0].user: is not an option (did you mean users?)",
    ],
    ["has a useless rule", { rules: [read, read] }, "rules.json: rules[1]: can never match"],
    [
      "names a group that there is not",
      { rules: [{ ...read, groups: ["stuff"] }], groups: { staff: [] } },
      'rules[0].groups: "groups" has no "stuff"',
    ],
    [
      "has groups that are no lists",
      { rules: [read], groups: { staff: "ann" } },
      'groups["staff"]: must be a list of users',
    ],
    ["has no object of groups", { rules: [read], groups: ["staff"] }, '"groups" must be an object'],
  ])("that %s is refused by its name", async (_, content, message) => {
    await expect(load(content)).rejects.toThrow(message);
    await expect(load(content)).rejects.toMatchObject({ name: "StartError" });
  });

  it("is refused where others can write it, and where it is not there", async () => {
    await load({ rules: [read] });
    chmodSync(path, 0o664);
    const refusal = (of: string) => `--rules ${path}: other users can write ${of}: chmod go-w ${of}`;
    await expect(loadRules(path)).rejects.toThrow(refusal(path));
    chmodSync(path, 0o644);
    const folder = dirname(path);
    chmodSync(folder, 0o777);
    await expect(loadRules(path)).rejects.toThrow(refusal(folder));
    chmodSync(folder, 0o1777);
    await loadRules(path);
    await expect(loadRules(`${path}x`)).rejects.toThrow(`--rules ${path}x: there is no such file`);
  });

  it("may begin with a byte order mark", async () => {
    await load(`\ufeff${JSON.stringify({ rules: [read] })}`);
  });
});
