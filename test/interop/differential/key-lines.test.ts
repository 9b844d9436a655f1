import { userInfo } from "node:os";
import { describe, expect, it } from "vitest";
import { anyOf } from "../../../src/authenticators/any-of.js";
import { authorizedKeys } from "../../../src/authenticators/authorized-keys/authorized-keys.js";
import { trustedUserCAs } from "../../../src/authenticators/trusted-user-cas.js";
import type { PKey } from "../../../src/crypto/index.js";
import { Grant } from "../../../src/index.js";
import { ALGORITHM, certificateOf, connectionFrom, newKey } from "../../authenticators/test-login.js";
import { needs } from "../../support/clients.js";
import { SSHD_VERSIONS, type SshdFiles, SshdOracle } from "../../support/sshd-oracle.js";
import { temporaryFolder } from "../../support/tools.js";

interface KeyCase {
  readonly title: string;
  readonly files: SshdFiles;
  readonly key: PKey;
  readonly expected: "accepted" | "refused";
  /** What sshd does, where that is not the same. */
  readonly sshd?: "accepted" | "refused";
}

const TIMEOUT = 120_000;
const { username } = userInfo();
const folder = temporaryFolder();
const [user, authority, stranger] = [newKey(), newKey(), newKey()];
const [plain, ca] = [user.toPublicString({ comment: "user" }), authority.toPublicString({ comment: "ca" })];
const [type = "", base64 = ""] = plain.split(" ");
const named = certificateOf(authority, [username]);
const other = certificateOf(authority, ["a", "b"]);
const forced = certificateOf(authority, [username], { "force-command": "true" });
const certificateLine = named.toPublicString();

function line(title: string, authorized: string, key: PKey, expected: KeyCase["expected"], sshd = expected): KeyCase {
  return { title, files: { authorizedKeys: authorized }, key, expected, sshd };
}

function trusted(title: string, text: string, key: PKey, expected: KeyCase["expected"], sshd = expected): KeyCase {
  return { title, files: { trustedUserCAKeys: text }, key, expected, sshd };
}

/** A certificate for `a` and `b`, and lines of principals. */
function principals(title: string, text: string, expected: KeyCase["expected"], sshd = expected): KeyCase {
  return { title, files: { trustedUserCAKeys: `${ca}\n`, authorizedPrincipals: text }, key: other, expected, sshd };
}

const CASES: readonly KeyCase[] = [
  line("a plain line", `${plain}\n`, user, "accepted"),
  line("another key", `${stranger.toPublicString()}\n`, user, "refused"),
  line("no comment, no end of line", `${type} ${base64}`, user, "accepted"),
  line("CR LF", `${plain}\r\n`, user, "accepted"),
  line("CR LF without a comment", `${type} ${base64}\r\n`, user, "accepted"),
  line("two spaces", `${type}  ${base64}\n`, user, "accepted"),
  line("tabs", `\t${type}\t${base64}\tx\n`, user, "accepted"),
  line("options and several spaces", `pty  \t ${plain}\n`, user, "accepted"),
  line("among comments and what is no key", `# a\n\n \t\nhello\n${type}\n  ${plain}\n`, user, "accepted"),
  line("a comment", `#${plain}\n`, user, "refused"),
  line("a key of another type's name", `ssh-rsa ${base64}\n`, user, "refused"),
  line("a damaged key", `${type} ${base64.slice(0, -8)}\n`, user, "refused"),
  line("base64 in two parts", `${type} ${base64.slice(0, 30)} ${base64.slice(30)}\n`, user, "refused"),
  line("two sets of options", `pty pty ${plain}\n`, user, "refused"),
  line("a refused line and a good one", `from="10.0.0.1" ${plain}\nunknown ${plain}\n${plain}\n`, user, "accepted"),
  line("9000 characters", `environment="A=${"x".repeat(9000)}" ${plain}\n`, user, "accepted"),
  line("40000 characters", `environment="A=${"x".repeat(40_000)}" ${plain}\n`, user, "refused", "accepted"),
  line("cert-authority and the key itself", `cert-authority ${plain}\n`, user, "refused"),
  line("the certificate of a key", `${certificateLine}\n`, user, "refused"),

  line("an authority", `cert-authority ${ca}\n`, named, "accepted"),
  line("an authority in capitals, with options", `Cert-Authority,restrict ${ca}\n`, named, "accepted"),
  line("an authority without the option", `${ca}\n`, named, "refused"),
  line("another authority", `cert-authority ${stranger.toPublicString()}\n`, named, "refused"),
  line("the certificate itself", `${certificateLine}\n`, named, "refused"),
  line("the certificate as an authority", `cert-authority ${certificateLine}\n`, named, "refused"),
  line("another user's certificate", `cert-authority ${ca}\n`, other, "refused"),
  line("one of the principals", `cert-authority,principals="x,b" ${ca}\n`, other, "accepted"),
  line("none of the principals", `cert-authority,principals="x,y" ${ca}\n`, other, "refused"),
  line("principals in place of the user", `cert-authority,principals="a" ${ca}\n`, named, "refused"),
  line("no principals", `cert-authority,principals="" ${ca}\n`, named, "refused"),
  line("any principals", `cert-authority,principals="*" ${ca}\n`, other, "refused"),
  line("principals with spaces", `cert-authority,principals="x, b" ${ca}\n`, other, "refused"),
  line("principals twice", `cert-authority,principals="a",principals="a" ${ca}\n`, other, "refused"),
  line("from elsewhere", `cert-authority,from="10.0.0.1" ${ca}\n`, named, "refused"),
  line("expired", `cert-authority,expiry-time="20200101" ${ca}\n`, named, "refused"),
  line("another command", `cert-authority,command="false" ${ca}\n`, forced, "refused"),
  line("the same command", `cert-authority,command="true" ${ca}\n`, forced, "accepted"),
  line(
    "another command, and a line without",
    `cert-authority,command="x" ${ca}\ncert-authority ${ca}\n`,
    forced,
    "accepted",
  ),

  trusted("a trusted authority", `# ours\n\n  ${ca}\n`, named, "accepted"),
  trusted("a trusted authority, another user", `${ca}\n`, other, "refused"),
  trusted("a trusted authority behind options", `cert-authority ${ca}\n`, named, "refused"),
  trusted("a trusted authority that is a certificate", `${certificateLine}\n`, named, "refused"),
  trusted("a trusted user", `${plain}\n`, user, "refused"),
  // One bad line is worth nothing to sshd's other lines.
  trusted("a trusted authority among what is no key", `hello\n${ca}\n`, named, "accepted", "refused"),

  principals("a principal", "a\n", "accepted"),
  principals("the second principal", "x\nb\n", "accepted"),
  principals("another principal", "x\n", "refused"),
  principals("no principal", "", "refused"),
  principals("capitals", "A\n", "refused"),
  principals("a list", "a,b\n", "refused"),
  principals("white space around", "  a \t \n", "accepted"),
  principals("a comment behind", "a # comment\n", "accepted"),
  principals("a comment close behind", "a#comment\n", "accepted"),
  principals("a comment", "#a\n", "refused"),
  principals("options", 'command="true",no-pty a\n', "accepted"),
  principals("options and a tab", "no-pty\ta\n", "accepted"),
  principals("an unknown option", "unknown a\n", "refused"),
  principals("an unknown option, and a line without", "unknown a\na\n", "accepted"),
  principals("from elsewhere, and a line without", 'from="10.0.0.1" a\na\n', "refused"),
  principals("from elsewhere, and another principal", 'from="10.0.0.1" a\nb\n', "refused"),
  principals("expired", 'expiry-time="20200101" a\n', "refused"),
  principals("cert-authority", "cert-authority a\n", "refused"),
  principals("principals", 'principals="a" a\n', "refused"),
  // sshd overlooks the second word, cuts a quoted text at #, takes the last space for the end of the options.
  principals("two words of options", "pty no-pty a\n", "refused", "accepted"),
  principals("# in quotes", 'command="true # x" a\n', "accepted", "refused"),
  principals("a space in quotes, and a tab", 'command="true x"\ta\n', "accepted", "refused"),
  principals("CR LF", "a\r\n", "accepted", "refused"),
];

for (const version of SSHD_VERSIONS)
  describe(version, needs(version), () => {
    it(`agrees about ${CASES.length} keys, certificates and their lines`, { timeout: TIMEOUT }, async () => {
      using sshd = await SshdOracle.start(folder, version, ["PermitUserEnvironment yes"]);
      for (const { title, files, key, expected, sshd: theirs } of CASES) {
        const verdicts = { theirs: await sshd.offer(files, key), ours: await decide(files, key) };
        expect({ title, ...verdicts }).toEqual({ title, theirs, ours: expected });
      }
    });
  });

async function decide(files: SshdFiles, key: PKey): Promise<KeyCase["expected"]> {
  const { trustedUserCAKeys = "", authorizedPrincipals, authorizedKeys: lines = "" } = files;
  const hook = anyOf(
    trustedUserCAs(
      () => trustedUserCAKeys,
      authorizedPrincipals === undefined ? {} : { principals: () => authorizedPrincipals },
    ),
    authorizedKeys(() => lines),
  );
  return (await hook(username, key, connectionFrom("127.0.0.1"), ALGORITHM)) instanceof Grant ? "accepted" : "refused";
}
