// Reports of the public surface: one for each door, in packaging/api/. They change on purpose: `npm run api` writes them
// anew from dist/, and a test fails where they are not what they were.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Extractor, ExtractorConfig } from "@microsoft/api-extractor";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const REPORTS = join(ROOT, "packaging/api");

/** @param {string} folder where the report of each door is written, `sftp.api.md` for `spindlex/sftp` */
export function writeReports(folder) {
  const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const scratch = mkdtempSync(join(tmpdir(), "spindlex-api-"));
  mkdirSync(folder, { recursive: true });
  for (const [door, files] of Object.entries(manifest.exports)) {
    if (typeof files === "object") writeReport(door, join(ROOT, files.require.types), folder, scratch);
  }
  rmSync(scratch, { recursive: true });
}

function writeReport(door, types, reportFolder, reportTempFolder) {
  const compilerOptions = {
    ...{ module: "node16", moduleResolution: "node16", target: "es2022", strict: true, skipLibCheck: true },
    ...{ lib: ["es2022", "esnext.disposable"], types: ["node"], typeRoots: [join(ROOT, "node_modules/@types")] },
  };
  const off = { default: { logLevel: "none" } };
  const config = ExtractorConfig.prepare({
    configObject: {
      projectFolder: ROOT,
      mainEntryPointFilePath: types,
      compiler: { overrideTsconfig: { compilerOptions, include: [types] } },
      apiReport: { enabled: true, reportFileName: nameOf(door), reportFolder, reportTempFolder },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: "error" } },
        extractorMessageReporting: off,
        tsdocMessageReporting: off,
      },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(ROOT, "package.json"),
  });
  const errors = [];
  Extractor.invoke(config, {
    localBuild: true,
    messageCallback(message) {
      if (message.logLevel === "error") errors.push(message.text);
      message.handled = true;
    },
  });
  if (errors.length > 0) throw new Error(errors.join("\n"));
}

function nameOf(door) {
  return door === "." ? "spindlex" : door.slice(2).replaceAll("/", "-");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeReports(process.argv[2] ?? REPORTS);
