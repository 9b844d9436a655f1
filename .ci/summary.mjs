// Prints the closing line of .ci/run from vitest's JSON report.
import { readFileSync } from "node:fs";

const [reportFile] = process.argv.slice(2);
const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(readFileSync(reportFile, "utf8"));
console.log(`tests: ${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped`);
