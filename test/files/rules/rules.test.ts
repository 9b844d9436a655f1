import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConfigurationError } from "../../../src/base/configuration-error.js";
import type { AccessContext, AccessFunction } from "../../../src/files/access-function.js";
import { FILE_OPERATIONS, type FileOperation } from "../../../src/files/file-operation.js";
import type { Rule } from "../../../src/files/rules/rule.js";
import { rules } from "../../../src/files/rules/rules.js";
import { extent } from "../../support/extent.js";

const asUser = (user: string | undefined, groups?: readonly string[]): AccessContext => ({
  user,
  connection: { username: user, identity: { data: groups && { groups } } },
});
const ANN = asUser("ann", []);

const allowed = (access: AccessFunction, path: string, context = ANN) =>
  FILE_OPERATIONS.filter((operation) => access(operation, path, context) === true);

describe("rules against a model of their own", () => {
  const names = ["a", "b", "ab", ".a", "B", "a\n", "\udcff"];
  const parts = ["*", "**", "**", "?", "a*", "*b", "[ab]", "[!a]*", "a", "b", "ab", ".a"];
  const path = fc.array(fc.constantFrom(...names), { maxLength: 4 }).map((list) => `/${list.join("/")}`);
  const subjects = fc.record(
    {
      users: fc.constantFrom(["ann"], ["ben"], ["ann", "ben"]),
      groups: fc.constantFrom(["staff"], ["guests", "staff"]),
    },
    { requiredKeys: [] },
  );
  const effect = fc.oneof(
    { weight: 4, arbitrary: fc.subarray([...FILE_OPERATIONS]).map((allow) => ({ allow })) },
    { weight: 1, arbitrary: fc.constant({ allow: "all" as const }) },
    { weight: 1, arbitrary: fc.constant({ hidden: true as const }) },
  );
  const pattern = fc.array(fc.constantFrom(...parts), { maxLength: 4 }).map((list) => `/${list.join("/")}`);
  const rule = fc.tuple(pattern, subjects, effect).map(([text, about, what]) => ({ path: text, ...about, ...what }));

  function toExpression(text: string, isClosed: boolean): RegExp {
    const source = text
      .split("/")
      .filter((part) => part !== "")
      .map((part) => {
        if (part === "**") return "(?:/[^/]+)*";
        return `/${part.replaceAll(".", "\\.").replaceAll("*", "[^/]*").replaceAll("?", "[^/]").replaceAll("[!", "[^/")}`;
      })
      .join("");
    return new RegExp(`^${source}${isClosed ? "(?:/.*)?" : ""}$`, "su");
  }

  function firstAbout(list: readonly Rule[], asked: string, user: string, groups: readonly string[]): Rule | undefined {
    return list.find((one) => {
      const isClosed = "hidden" in one || one.allow.length === 0;
      const isForAll = one.users === undefined && one.groups === undefined;
      const isAbout = one.users?.includes(user) || one.groups?.some((group) => groups.includes(group));
      return (isForAll || isAbout) && toExpression(one.path, isClosed).test(asked === "/" ? "" : asked);
    });
  }

  it("decide the same", () => {
    const seen = { allowed: 0, refused: 0, hidden: 0 };
    fc.assert(
      fc.property(
        fc.array(rule, { minLength: 1, maxLength: 6 }),
        fc.array(path, { minLength: 4, maxLength: 8 }),
        fc.constantFrom("ann", "ben", "cid"),
        fc.subarray(["staff", "guests"]),
        (list, paths, user, groups) => {
          let access: AccessFunction;
          try {
            access = rules(list);
          } catch (error) {
            expect(String(error)).toMatch(/can never match/);
            return;
          }
          const context = asUser(user, groups);
          for (const asked of paths) {
            const decisive = firstAbout(list, asked, user, groups);
            const isHidden = decisive !== undefined && "hidden" in decisive;
            const allow = decisive === undefined || "hidden" in decisive ? [] : decisive.allow;
            expect(access.hides?.(asked, context) ?? false, asked).toBe(isHidden);
            expect(allowed(access, asked, context), asked).toEqual(
              FILE_OPERATIONS.filter((operation) => allow === "all" || allow.includes(operation)),
            );
            seen[isHidden ? "hidden" : allow.length > 0 ? "allowed" : "refused"]++;
          }
        },
      ),
      { numRuns: extent(1000, 20_000) },
    );
    // Each of them is a decision about all operations.
    expect(seen.allowed).toBeGreaterThan(300);
    expect(seen.refused).toBeGreaterThan(300);
    expect(seen.hidden).toBeGreaterThan(20);
  });

  it("call a rule useless only where it is: without it nothing changes", () => {
    let useless = 0;
    fc.assert(
      fc.property(fc.array(rule, { minLength: 2, maxLength: 5 }), fc.array(path, { maxLength: 20 }), (list, paths) => {
        let place: number | undefined;
        try {
          rules(list);
        } catch (error) {
          place = Number(/^rules\[(\d+)\]: can never match/.exec(String((error as Error).message))?.[1]);
        }
        if (place === undefined) return;
        useless++;
        const others = list.filter((_, index) => index !== place);
        for (const asked of paths) {
          for (const user of ["ann", "ben", "cid"]) {
            for (const groups of [[], ["staff"], ["guests"]]) {
              expect(firstAbout(list, asked, user, groups)).toBe(firstAbout(others, asked, user, groups));
            }
          }
        }
      }),
      { numRuns: extent(300, 10_000) },
    );
    expect(useless).toBeGreaterThan(20);
  });

  it("let no directory be moved to where something in it would be open to more", () => {
    const seen = { moved: 0, refused: 0 };
    const moving = fc.tuple(
      fc.array(rule, { minLength: 1, maxLength: 4 }),
      path,
      path,
      fc.array(path, { maxLength: 12 }),
    );
    fc.assert(
      fc.property(moving, ([list, from, to, inside]) => {
        let access: AccessFunction;
        try {
          access = rules([{ path: "/**", users: ["nobody"], allow: [] }, ...list]);
        } catch {
          return;
        }
        const isMoved = access("rename", from, { ...ANN, to, isDirectory: true });
        const isRenamed = access("rename", from, { ...ANN, to, isDirectory: false });
        if (isRenamed !== true) {
          expect(isMoved).toBe(false);
          return;
        }
        seen[isMoved ? "moved" : "refused"]++;
        if (!isMoved) return;
        const below = (directory: string, rest: string) => (directory === "/" ? rest : directory + rest);
        for (const rest of inside.filter((one) => one !== "/")) {
          const before = allowed(access, below(from, rest));
          expect(before, `${from} to ${to}: ${rest}`).toEqual(expect.arrayContaining(allowed(access, below(to, rest))));
          if (access.hides?.(below(from, rest), ANN)) expect(access.hides(below(to, rest), ANN)).toBe(true);
        }
      }),
      { numRuns: extent(2000, 50_000) },
    );
    expect(seen.moved).toBeGreaterThan(20);
    expect(seen.refused).toBeGreaterThan(5);
  });
});

describe("rules", () => {
  it("decide in their order, and refuse what none is about", () => {
    const access = rules([
      { path: "/incoming", allow: ["stat"] },
      { path: "/incoming/**", users: ["root"], allow: "all" },
      { path: "/incoming/**", allow: ["create"] },
      { path: "/docs/**", allow: ["list", "stat", "read"] },
    ]);
    expect(allowed(access, "/incoming")).toEqual(["stat"]);
    expect(allowed(access, "/incoming/a/.b")).toEqual(["create"]);
    expect(allowed(access, "/incoming/a", asUser("root", []))).toEqual(FILE_OPERATIONS);
    expect(allowed(access, "/docs")).toEqual(["list", "stat", "read"]);
    expect(allowed(access, "/")).toEqual([]);
    expect(allowed(access, "/other")).toEqual([]);
    expect(allowed(access, "/incoming/a", asUser(undefined))).toEqual(["create"]);
  });

  it("that allow nothing, or hide, are about all that lies below", () => {
    const access = rules([
      { path: "/private/open/**", allow: ["read"] },
      { path: "/private", allow: [] },
      { path: "/**/.*", hidden: true },
      { path: "/**", allow: "all" },
    ]);
    expect(allowed(access, "/private/a/b")).toEqual([]);
    expect(allowed(access, "/private/open/a")).toEqual(["read"]);
    expect(access.hides?.("/private/a", ANN)).toBe(false);
    for (const path of ["/.git", "/.git/config", "/a/.x/y/z"]) {
      expect(allowed(access, path), path).toEqual([]);
      expect(access.hides?.(path, ANN), path).toBe(true);
    }
    expect(allowed(access, "/a.b/c")).toEqual(FILE_OPERATIONS);
  });

  it("say for the log which of them refuses", () => {
    const access = rules([
      { path: "/a/**", allow: ["rename"] },
      { path: "/b/**", allow: "all" },
    ]);
    expect(access.explain?.("delete", "/a/x", ANN)).toBe('rules[0], "/a/**"');
    expect(access.explain?.("delete", "/c", ANN)).toBe("no rule is about it");
    expect(access("rename", "/a/d", { ...ANN, to: "/b/d", isDirectory: true })).toBe(false);
    expect(access.explain?.("rename", "/a/d", ANN)).toBe(
      'rules[0], "/a/**": other rules would open what lies in the directory',
    );
  });

  it("let directories be moved where all stays as it is, or gets stricter", () => {
    const access = rules([
      { path: "/public/**", allow: ["list", "stat", "rename"] },
      { path: "/work/secret/**", allow: ["rename"] },
      { path: "/work/**", allow: ["list", "stat", "read", "rename"] },
      { path: "/**", users: ["ann"], allow: "all" },
    ]);
    const moves = (from: string, to: string) => access("rename", from, { ...ANN, to, isDirectory: true });
    expect(moves("/work/a", "/work/b")).toBe(true);
    expect(moves("/work/a", "/public/a")).toBe(true);
    expect(moves("/mine", "/work/mine")).toBe(true);
    expect(moves("/work/secret", "/work/open")).toBe(false);
    expect(moves("/work", "/public/work")).toBe(false);
    expect(moves("/public/a", "/work/a")).toBe(false);
    expect(moves("/work/a", "/mine")).toBe(false);
  });
});

describe("groups in rules", () => {
  const list: readonly Rule[] = [
    { path: "/**", groups: ["guests"], allow: [] },
    { path: "/**", users: ["root"], groups: ["staff"], allow: ["read"] },
  ];

  it("are those of the login's data", () => {
    const access = rules(list);
    expect(allowed(access, "/a", asUser("ann", ["staff"]))).toEqual(["read"]);
    expect(allowed(access, "/a", asUser("root", []))).toEqual(["read"]);
    expect(allowed(access, "/a", asUser("ann", []))).toEqual([]);
    expect(allowed(access, "/a", asUser("ann", ["staff", "guests"]))).toEqual([]);
  });

  it.each([[undefined], ["staff"], [{ staff: true }], [[5]], [null]])(
    "refuse all with an error where the login has no list of them: %j",
    (groups) => {
      const access = rules([...list, { path: "/x", users: ["ben"], allow: "all" }]);
      const context = asUser("ann", groups as never);
      expect(() => access("read", "/a", context)).toThrow("those of the user are no list of names");
      expect(() => rules(list)("read", "/a", { user: "ann", connection: undefined })).toThrow();
    },
  );

  it("are not asked for where no rule has any", () => {
    const groups = () => {
      throw new Error("asked");
    };
    const access = rules([{ path: "/**", allow: ["read"] }], { groups });
    expect(access("read", "/a", asUser("ann"))).toBe(true);
  });

  it("may be found by a function, once for each connection", async () => {
    const asked: unknown[] = [];
    let isReady = false;
    const access = rules(list, {
      groups: async ({ user }) => {
        asked.push(user);
        if (!isReady) throw new Error("no directory");
        return new Set(["staff"]);
      },
    });
    const ben = asUser("ben");
    await expect(access("read", "/a", ben)).rejects.toThrow("no directory");
    isReady = true;
    expect(access.explain?.("read", "/a", ben)).toBe("the groups of the user are not known yet");
    expect(await access("read", "/a", ben)).toBe(true);
    expect(access("read", "/a", ben)).toBe(true);
    expect(access.explain?.("delete", "/a", ben)).toBe('rules[1], "/**"');
    expect(await access("read", "/a", asUser("ben"))).toBe(true);
    expect(asked).toEqual(["ben", "ben", "ben"]);
  });
});

describe("rules that cannot be used", () => {
  const read = { path: "/**", allow: ["read"] };

  it.each<[what: string, list: unknown, message: string]>([
    ["no list", { path: "/", allow: [] }, "rules: must be a list of rules"],
    ["no rule", [], "rules: has no rule"],
    ["no object", [5], "rules[0]: must be an object"],
    ["a misspelled option", [{ path: "/", alow: [] }], "rules[0].alow: is not an option (did you mean allow?)"],
    ["no path", [{ allow: [] }], "rules[0].path: must be a path"],
    ["a path of another form", [read, { path: "docs", allow: [] }], 'rules[1].path: "docs" must begin with a slash'],
    ["no effect", [{ path: "/" }], "rules[0]: must have allow, [] for nothing, or hidden"],
    ["both effects", [{ path: "/", allow: [], hidden: true }], "rules[0]: cannot have both"],
    ["hidden: false", [{ path: "/", hidden: false }], "rules[0].hidden: must be true"],
    ["allow that was not found", [{ path: "/", allow: undefined }], "rules[0].allow: must not be undefined"],
    ["allow: none", [{ path: "/", allow: "none" }], 'rules[0].allow: must be a list of operations, or "all"'],
    [
      "a nearly right operation",
      [{ path: "/", allow: ["red"] }],
      'rules[0].allow[0]: there is no operation "red" (did you mean read?)',
    ],
    ["one of another form", [{ path: "/", allow: ["make_directory"] }], "(did you mean makeDirectory?)"],
    [
      "one by another name",
      [{ path: "/", allow: ["list", "write"] }],
      'rules[0].allow[1]: there is no operation "write" (did you mean create, overwrite or append?)',
    ],
    ["another thing", [{ path: "/", allow: ["xyz"] }], "there are list, stat, read, create"],
    ["users who are no list", [{ path: "/", allow: [], users: "ann" }], "rules[0].users: must be a list of names"],
    ["nobody", [{ path: "/", allow: [], users: [] }], "rules[0].users: names nobody"],
    ["users who were not found", [{ path: "/", allow: [], users: undefined }], "rules[0].users: must not be undefined"],
    ["an empty group", [{ path: "/", allow: [], groups: [""] }], "rules[0].groups[0]: must not be empty"],
    [
      "a useless rule",
      [read, { path: "/a/*", allow: [] }],
      'rules[1]: can never match: rules[0] is about all of its paths, "/**", and comes first',
    ],
    [
      "a rule that comes twice",
      [
        { ...read, users: ["ann"] },
        { ...read, users: ["ann"] },
      ],
      "rules[1]: can never match",
    ],
    [
      "a rule in a closed folder",
      [
        { path: "/a", allow: [] },
        { path: "/a/b", allow: ["read"] },
      ],
      "rules[1]: can never match",
    ],
  ])("%s", (_, list, message) => {
    expect(() => rules(list as never)).toThrow(message);
    expect(() => rules(list as never)).toThrow(ConfigurationError);
  });

  it("are not those that match for some users, or for some of their paths", () => {
    rules([
      { path: "/a/**", users: ["ann"], allow: [] },
      { path: "/a/**", groups: ["staff"], allow: [] },
      { path: "/a/**", users: ["ann"], groups: ["guests"], allow: [] },
      { path: "/a/*", allow: ["read"] },
      { path: "/a/**", allow: ["list"] },
      { path: "/**", allow: "all" },
    ]);
  });

  it("have a function for groups", () => {
    expect(() => rules([{ path: "/", allow: [] }], { groups: ["staff"] } as never)).toThrow(
      "groups: must be a function",
    );
    expect(() => rules([{ path: "/", allow: [] }], { group: () => [] } as never)).toThrow("did you mean groups?");
  });
});

describe("the cost of a decision", () => {
  const PATHS = ["/homes/user50/docs/report.txt", "/shared/a/b/c/d.key", "/nowhere/x", "/homes/user7/.ssh/id"];

  /** Microseconds of a decision, in the best of many rounds: others use the processors, too. */
  function cost(access: AccessFunction, rounds: number, decisions: number): number {
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < rounds; round++) {
      const start = performance.now();
      for (let count = 0; count < decisions; count++) access("read", PATHS[count % PATHS.length] ?? "/", ANN);
      best = Math.min(best, ((performance.now() - start) * 1000) / decisions);
    }
    return best;
  }

  const some = (count: number): Rule[] =>
    Array.from({ length: count }, (_, index): Rule => {
      const allow: readonly FileOperation[] = ["list", "read"];
      if (index % 4 === 0) return { path: `/homes/user${index}/**`, users: [`user${index}`], allow };
      if (index % 4 === 1) return { path: `/**/*.ext${index}`, allow };
      if (index % 4 === 2) return { path: `/shared/*/project${index}/**/*[0-9].c`, groups: ["staff"], allow };
      return { path: `/shared/${index}/*`, hidden: true };
    });

  it("is at most 5 µs with 100 rules", () => {
    expect(cost(rules(some(100)), 50, 1000)).toBeLessThan(5);
  });

  it("is bounded with 10,000 rules, and so is reading them", () => {
    const start = performance.now();
    const access = rules(some(10_000));
    expect(performance.now() - start).toBeLessThan(10_000);
    expect(cost(access, 5, 20)).toBeLessThan(5000);
    const closed = rules(Array.from({ length: 10_000 }, (_, index): Rule => ({ path: `/**/${index}x*`, allow: [] })));
    expect(cost(closed, 5, 10)).toBeLessThan(20_000);
  });
});
