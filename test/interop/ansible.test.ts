import { spawn } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Channel, programEnvironment, runOn } from "../../src/index.js";
import { LocalFileSystem, mount, SFTPServer } from "../../src/sftp/index.js";
import { ANSIBLE_PYTHON, needs, TOOLS } from "../support/clients.js";
import { ClientKeys } from "../support/clients-keys.js";
import { GuideServer, testBytes } from "../support/server.js";
import { TestServer } from "../support/server-start.js";
import { run, temporaryFolder } from "../support/tools.js";

const folder = temporaryFolder();
const [home, local] = [join(folder, "home"), join(folder, "local")];
const keys = new ClientKeys();

/** Runs commands in a shell and serves files under the same paths, but only those of one folder. */
class ShellServer extends GuideServer {
  override checkChannelExecRequest(channel: Channel, command: Buffer): boolean {
    const env = programEnvironment(channel, { account: { name: "admin", home, shell: "/bin/sh" } });
    void runOn(channel, spawn("/bin/sh", ["-c", command.toString()], { cwd: home, env, detached: true }));
    return true;
  }

  override checkChannelSubsystemRequest(channel: Channel, name: string): boolean {
    if (name !== "sftp") return false;
    new SFTPServer(channel, { fileSystem: mount({ [home]: new LocalFileSystem(home) }) });
    return true;
  }
}

const PLAY = `
- hosts: all
  gather_facts: false
  tasks:
    - raw: printf 'to %s\\n' "$0"
      register: raw
    - copy: { src: "${local}/source", dest: "${home}/copied", mode: "0640" }
    - file: { src: copied, dest: "${home}/link", state: link }
    - command: { argv: [sh, -c, "exit 7"] }
      register: failed
      failed_when: failed.rc != 7
    - fetch: { src: "${home}/link", dest: "${local}/fetched", flat: true }
    - debug: { var: raw.stdout_lines }
`;

let server: TestServer;

beforeAll(async () => {
  await Promise.all([mkdir(home), mkdir(local)]);
  const shellServer = new ShellServer();
  shellServer.authorizedKeys.add(await keys.fingerprint("ed25519"));
  server = await TestServer.start({ server: shellServer });
});
afterAll(() => server?.[Symbol.asyncDispose]());

it("Ansible runs commands, copies files there and back, and makes links", {
  ...needs("ansible"),
  timeout: 90_000,
}, async () => {
  const content = testBytes(100_000);
  await writeFile(join(local, "source"), content);
  await writeFile(join(local, "play.yml"), PLAY);
  await writeFile(join(local, "known_hosts"), server.knownHosts);
  const variables = {
    ansible_host: "127.0.0.1",
    ansible_port: server.port,
    ansible_user: "admin",
    ansible_ssh_private_key_file: await keys.openssh("ed25519"),
    ansible_python_interpreter: ANSIBLE_PYTHON,
    ansible_remote_tmp: join(home, "tmp"),
  };
  const environment = {
    HOME: local,
    ANSIBLE_LOCAL_TEMP: join(local, "tmp"),
    ANSIBLE_SSH_TRANSFER_METHOD: "sftp",
    // Several sessions over one connection, which ends when the server does.
    ANSIBLE_SSH_CONTROL_PATH_DIR: join(folder, "control"),
    ANSIBLE_SSH_ARGS: `-F none -o ControlMaster=auto -o ControlPersist=60s -o UserKnownHostsFile=${local}/known_hosts`,
  };
  const words = ["-i", "spindlex,", "-e", JSON.stringify(variables), join(local, "play.yml")];
  const { code, stdout, stderr } = await run(TOOLS.ansible, words, { environment, timeout: 80_000 });
  expect(code, `${stdout}${stderr}`).toBe(0);
  expect(stdout.toString()).toContain('"to /bin/sh"');
  expect(await readdir(home)).toEqual(expect.arrayContaining(["copied", "link"]));
  for (const file of [join(home, "copied"), join(local, "fetched")])
    expect(content.equals(await readFile(file)), file).toBe(true);
});
