import type { TrainResult } from '../report/result.ts';
import type { Cli } from './cli.ts';
import { EXIT } from './exit-codes.ts';
import { writeResult } from './json-result.ts';

/** Tells the result of something with gates; one that stayed shut is exit code 3. */
export async function finishGated(
  cli: Cli,
  json: boolean | undefined,
  result: Pick<TrainResult, 'gate' | 'further' | 'runtimeGates' | 'metrics'>,
  summary: string,
): Promise<void> {
  if (json) writeResult(cli, result);
  else cli.terminal.out(`\n${summary}`);
  const { gateFailure } = await import('./result-summary.ts');
  const failure = gateFailure(result);
  if (!failure) return;
  cli.exitCode = EXIT.gate;
  if (!json) cli.terminal.err(`${cli.terminal.errColors.red('gate')}: ${failure}\n`);
}
