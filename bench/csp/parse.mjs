// Times the parser of Google's CSP Evaluator on the policies in a file and prints nanoseconds for all of them once.
// usage: node parse.mjs FILE MILLISECONDS   (with csp_evaluator installed where node finds it)
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(process.cwd() + '/');
const { CspParser } = require('csp_evaluator/dist/parser.js');
const [file, milliseconds] = process.argv.slice(2);
const policies = readFileSync(file, 'utf8').trim().split('\n');

function run(limit) {
  const end = process.hrtime.bigint() + BigInt(limit) * 1_000_000n;
  const begin = process.hrtime.bigint();
  let rounds = 0;
  while (process.hrtime.bigint() < end) {
    for (let i = 0; i < 20; i++) {
      for (const policy of policies) new CspParser(policy).csp;
    }
    rounds += 20;
  }
  return Number(process.hrtime.bigint() - begin) / rounds;
}

run(200); // so that the compiler has seen it
console.log(Math.round(run(Number(milliseconds))));
