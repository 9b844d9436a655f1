import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { freePort } from "../support/free-port.js";
import { ExternalProcess, run, runOk, temporaryFolder } from "../support/tools.js";
import { ENVIRONMENT, packedPackage, ROOT, SLOW } from "./packed-package.js";

const page = readFileSync(join(ROOT, "docs/containers.md"), "utf8");
const blockOf = (language: string) => new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "m").exec(page)?.[1] ?? "";
const dockerfile = blockOf("dockerfile").trimEnd().split("\n");

const isRoot = process.getuid?.() === 0;
/** Somebody who may write nowhere but in what is theirs, where there is such a user for us. */
const owner = String(isRoot ? 65_534 : process.getuid?.());

describe("the Dockerfile of docs/containers.md", () => {
  it("is short, and runs as nobody in particular", () => {
    expect(dockerfile.length).toBeLessThanOrEqual(15);
    const words = dockerfile.map((line) => line.split(" ")[0]);
    expect(words.indexOf("USER")).toBeGreaterThan(words.lastIndexOf("RUN"));
    expect(words.indexOf("USER")).toBeLessThan(words.indexOf("CMD"));
  });

  it("has steps that make a server which is healthy until it is stopped", { timeout: SLOW }, async () => {
    const root = temporaryFolder();
    chmodSync(root, 0o755);
    const [context, app, data] = ["context", "app", "data"].map((name) => join(root, name)) as [string, string, string];
    const port = await freePort();
    const inside = (text: string) =>
      text
        .replaceAll("/data", data)
        .replaceAll("2222", String(port))
        .replaceAll("chown -R node ", `chown -R ${owner} `)
        .replaceAll("npm ci", "npm ci --no-audit --no-fund");
    const within = (folder: string, command: string, parameters: readonly string[]) =>
      runOk("env", ["-C", folder, command, ...parameters], {
        environment: ENVIRONMENT,
        timeout: SLOW,
      });

    mkdirSync(context);
    mkdirSync(app);
    cpSync(await packedPackage(), join(context, "spindlex.tgz"));
    const project = { name: "files", private: true, type: "module", dependencies: { spindlex: "file:spindlex.tgz" } };
    writeFileSync(join(context, "package.json"), JSON.stringify(project));
    writeFileSync(join(context, "server.js"), inside(blockOf("js")));
    await within(context, "npm", ["install", "--package-lock-only", "--no-audit", "--no-fund"]);
    // In place of the registry, which does not have this version.
    cpSync(join(context, "spindlex.tgz"), join(app, "spindlex.tgz"));

    let health: readonly string[] = [];
    let command: readonly string[] = [];
    for (const line of dockerfile) {
      const [, word = "", rest = ""] = /^(\w+) (.*)$/.exec(inside(line)) ?? [];
      if (word === "COPY")
        for (const name of rest.split(" ").slice(0, -1)) cpSync(join(context, name), join(app, name));
      else if (word === "RUN") await within(app, "sh", ["-ec", rest]);
      else if (word === "HEALTHCHECK") health = JSON.parse(rest.replace(/^CMD /, ""));
      else if (word === "CMD") command = JSON.parse(rest);
      else expect(["FROM", "WORKDIR", "VOLUME", "USER", "EXPOSE"]).toContain(word);
    }
    const asNobody = isRoot ? ["setpriv", "--reuid", owner, "--regid", owner, "--clear-groups"] : [];
    using server = new ExternalProcess("env", ["-C", app, ...asNobody, ...command], { timeout: SLOW });
    await server.untilOutput("the server listens");
    expect(existsSync(join(data, "host_key"))).toBe(true);
    const [program = "", ...parameters] = health;
    expect(await run(program, parameters)).toMatchObject({ code: 0, stderr: "" });
    server.kill("SIGTERM");
    expect(await server.finished).toMatchObject({ code: 0 });
    expect((await run(program, parameters)).code).not.toBe(0);
  });
});
