// Reads simulations, a JSON list, from standard input and writes the outcome of each: Allowed, ImplicitlyDenied,
// ExplicitlyDenied, or the error of a request or policy that AWS would not take.
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'

const require = createRequire(`${process.argv[2]}/`)
const { runSimulation } = require('@cloud-copilot/iam-simulate')

const outcomes = []
for (const simulation of JSON.parse(readFileSync(0, 'utf8'))) {
  const result = await runSimulation(simulation, {})
  outcomes.push(result.errors ? `error: ${JSON.stringify(result.errors)}` : result.overallResult)
}
console.log(JSON.stringify(outcomes))
