import { Command } from 'commander';
import type { Cli } from './cli.ts';
import { COMMANDS } from './commands/index.ts';
import { EXIT_CODES_HELP } from './exit-codes.ts';
import { loadPlugins } from './plugins.ts';

/** The command line: parses arguments, calls the command; throws CommanderError instead of exiting. */
export async function createProgram(cli: Cli): Promise<Command> {
  const json = cli.arguments.includes('--json');
  const program = new Command('limbeck')
    .description('Distils large models into small, fast ONNX models.')
    .version(cli.version)
    .option('--plugin <file>', 'a module with components that recipes can name; may be repeated', collect, [])
    .hook('preAction', (command) => loadPlugins(cli, command.opts<{ plugin: string[] }>().plugin))
    .addHelpText(
      'after',
      `
Start here:
  limbeck init                          writes a recipe
  limbeck plan recipe.yaml              what it will cost
  limbeck distill recipe.yaml           from data to the exported student and its report
  limbeck COMMAND --help                options and examples of a command

LIMBECK_THREADS=N in the environment gives operators N threads instead of all cores.

${EXIT_CODES_HELP}`,
    );
  for (const create of COMMANDS) program.addCommand(await create(cli));
  forAll(program, (command) => {
    command.exitOverride().configureOutput({
      writeOut: cli.terminal.out,
      // With --json the error follows as JSON; commander's own text would only be noise beside it.
      writeErr: json ? () => {} : cli.terminal.err,
    });
    command.showHelpAfterError(`See ${pathOf(command)} --help.`);
  });
  return program;
}

function collect(file: string, before: readonly string[]): string[] {
  return [...before, file];
}

function forAll(command: Command, visit: (command: Command) => void): void {
  visit(command);
  for (const child of command.commands) forAll(child, visit);
}

/** `limbeck store ls` */
function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();
}
