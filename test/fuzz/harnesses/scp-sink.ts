import { assertTrue, type Harness } from "../engine/harness.js";
import { smallFileSystem } from "../support/files.js";
import { joinMessages, splitMessages } from "../support/messages.js";
import { runSCP } from "../support/scp-session.js";

const OPTIONS = ["", "-r ", "-p ", "-r -p ", "-d "];

const dialogues = [
  ["C0644 5 file\n", "hello\0"],
  ["T1700000000 0 1700000000 0\n", "D0755 0 new\n", "C0600 2 x\n", "ab\0", "E\n", "C0644 0 y\n", "\0"],
  ["\u0001scp: warning\n", "C0777 3 ../x\n", "abc\0"],
];

/** What a client's scp sends to be stored. The first byte of an input chooses the options, pieces of the stream follow. */
export const harness: Harness = {
  name: "scp-sink",
  seeds: dialogues.map((pieces, index) =>
    Buffer.concat([Buffer.of(index), joinMessages(pieces.map((piece) => Buffer.from(piece, "latin1")))]),
  ),
  maximumTime: 1000,
  shortRun: 400,
  async run(bytes) {
    const files = smallFileSystem();
    const before = await listing(files);
    const options = OPTIONS[(bytes[0] ?? 0) % OPTIONS.length] ?? "";
    await runSCP(Buffer.from(`scp ${options}-t sub`), splitMessages(bytes.subarray(1)), files);
    assertTrue((await listing(files)) === before, "something outside of the target has changed");
  },
};

/** All that is there but what lies in the target, /dir/sub, itself. */
async function listing(files: ReturnType<typeof smallFileSystem>): Promise<string> {
  const lines: string[] = [];
  const walk = async (path: string): Promise<void> => {
    for await (const { name, attributes } of await files.readdir(path)) {
      const entry = path === "/" ? `/${name}` : `${path}/${name}`;
      if (entry === "/dir/sub") continue;
      lines.push(`${entry} ${attributes?.type} ${attributes?.size} ${attributes?.permissions}`);
      if (attributes?.type === "directory") await walk(entry);
    }
  };
  await walk("/");
  return lines.sort().join("\n");
}
