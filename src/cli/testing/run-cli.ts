import type { LimbeckApi } from '../../run/api.ts';
import { reportFailure } from '../failure.ts';
import { createProgram } from '../program.ts';
import { memoryCli, memoryTerminal } from './memory-terminal.ts';

/** Runs a command line in this process, in `folder`, over a library that may be a stand-in. */
export async function runCli(
  args: string[],
  folder: string,
  api: Partial<LimbeckApi> = {},
  input = '',
): Promise<{ code: number; out: string; err: string }> {
  const terminal = memoryTerminal();
  const cli = memoryCli(terminal, args, api, folder, input);
  try {
    await (await createProgram(cli)).parseAsync(args, { from: 'user' });
    return { code: cli.exitCode, ...terminal.written };
  } catch (error) {
    const code = reportFailure(error, terminal, args.includes('--json'), cli.places);
    return { code, ...terminal.written };
  }
}
