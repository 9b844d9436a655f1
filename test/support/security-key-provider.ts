import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runOk, temporaryFolder } from "./tools.js";

const SOURCE = fileURLToPath(new URL("../interop/drivers/security-key.c", import.meta.url));

/**
 * FIDO keys in software for `ssh` and `ssh-keygen`, as a library that they load. To be called at the top of a test file.
 *
 * @returns compiles it, the first time, and gives its path
 */
export function securityKeyProvider(): () => Promise<string> {
  const library = join(temporaryFolder(), "security-key.so");
  let compiled: Promise<string> | undefined;
  return () => {
    compiled ??= runOk("gcc", [
      "-shared",
      "-fPIC",
      "-Wno-deprecated-declarations",
      "-o",
      library,
      SOURCE,
      "-lcrypto",
    ]).then(() => library);
    return compiled;
  };
}
