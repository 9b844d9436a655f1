import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeName } from "../../src/files/path.js";
import { parseProbeCommand } from "../../src/probes/probe-command.js";

const parse = (line: string) => parseProbeCommand(Buffer.from(line));
const md5 = (...paths: string[]) => ({ program: "md5sum", algorithm: "md5", paths });
const df = (...paths: string[]) => ({ program: "df", paths, columns: "all" });

describe("parseProbeCommand", () => {
  it.each([
    ["md5sum", md5()],
    ["md5sum -", md5()],
    ["md5sum file", md5("file")],
    ["md5sum  'a b' \"c d\" e\\ f", md5("a b", "c d", "e f")],
    ["md5sum -- -a", md5("-a")],
    ["md5sum ~/file ~", md5("./file", ".")],
    ["md5sum '*' \\? \"[a]\" '~'", md5("*", "?", "[a]", "~")],
    ["md5sum 'a|b' c\\|d", md5("a|b", "c|d")],
    ["md5sum up\\ load\\'d\n'".slice(0, -2), md5("up load'd")],
    ["md5sum a'\n'b", md5("a\nb")],
    ["sha1sum /x", { program: "sha1sum", algorithm: "sha1", paths: ["/x"] }],
    ["sha256sum /x", { program: "sha256sum", algorithm: "sha256", paths: ["/x"] }],
    ["echo 'abc' | md5sum", { ...md5(), input: "abc\n" }],
    ["echo 'a|b'|sha1sum -", { program: "sha1sum", algorithm: "sha1", paths: [], input: "a|b\n" }],
    ["df", df()],
    ["df -k /dir", df("/dir")],
    ["df -Pk -P -- -dir", df("-dir")],
    ["df -h", { ...df(), columns: "all for people" }],
    ["df -kPh /dir", { ...df("/dir"), columns: "all for people" }],
    ["df -h -k", df()],
    ["df -Pk / | awk '{print $3, $4}'", { ...df("/"), columns: "used and available" }],
    ["pwd", { program: "pwd" }],
    ["echo", { program: "echo", text: "\n" }],
    ["echo a  'b  c'", { program: "echo", text: "a b  c\n" }],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a shell reads it
    ["echo ${ShellId}%ComSpec%", { program: "echo", text: "%ComSpec%\n" }],
  ])("understands %j", (line, command) => {
    expect(parse(line)).toEqual(command);
  });

  it.each([
    "",
    "md5",
    "md5sum *",
    "md5sum a?",
    "md5sum [a]",
    "md5sum ~ann/file",
    "md5sum $HOME",
    "md5sum `id`",
    "md5sum a; id",
    "md5sum a && id",
    "md5sum a > b",
    "md5sum < a",
    "md5sum a | id",
    "md5sum a | md5sum",
    "md5sum 'a",
    "md5sum -c file",
    "md5sum --check file",
    "md5sum - a".replace(" -", " --tag -"),
    "md5sum ''",
    "/usr/bin/md5sum file",
    "command md5sum file",
    "A=b md5sum file",
    "echo -n a",
    "echo -e a",
    "echo 'a\\nb'",
    "echo $HOME",
    "echo a | id",
    "echo a | md5sum file",
    "echo a | echo b | md5sum",
    "cat a | md5sum",
    "pwd -P",
    "df -h / | awk '{print $3, $4}'",
    "df --output",
    "df / | awk '{print $1}'",
    "echo a\nid",
    `md5sum ${"x".repeat(5000)}`,
    `md5sum ${"x ".repeat(40_000)}`,
  ])("leaves %j to a shell", (line) => {
    expect(parse(line)).toBeUndefined();
  });

  it("keeps bytes that are not UTF-8", () => {
    const command = Buffer.concat([Buffer.from("md5sum a"), Buffer.from([0xff, 0x80])]);
    expect(parseProbeCommand(command)).toEqual(md5(decodeName(Buffer.from([0x61, 0xff, 0x80]))));
  });

  it("answers for any bytes, and soon", () => {
    const piece = fc.constantFrom("md5sum", "echo", "df", "|", " ", "'", '"', "\\", "~", "-", "a", "\n", "$", "awk");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => void parse(pieces.join(""))),
      { numRuns: 300 },
    );
    const begun = performance.now();
    for (const filling of [" ", "|", "'", "\\", "echo a|"]) parse(`echo ${filling.repeat(60_000 / filling.length)}`);
    expect(performance.now() - begun).toBeLessThan(2000);
  });
});
