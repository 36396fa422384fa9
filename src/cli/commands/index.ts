import type { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { askCommand } from './ask.ts';
import { checkCommand } from './check.ts';
import { compileCommand } from './compile.ts';
import { continualCommand } from './continual.ts';
import { distillCommand } from './distill.ts';
import { doctorCommand } from './doctor.ts';
import { evalCommand } from './eval.ts';
import { exportCommand } from './export.ts';
import { generateCommand } from './generate.ts';
import { gradCommand } from './grad.ts';
import { initCommand } from './init.ts';
import { inspectCommand } from './inspect.ts';
import { labelCommand } from './label.ts';
import { measureCommand } from './measure.ts';
import { planCommand } from './plan.ts';
import { reportCommand } from './report.ts';
import { schemaCommand } from './schema.ts';
import { storeCommand } from './store.ts';
import { trainCommand } from './train.ts';

/**
 * All commands, in the order of the help. To add one: a file beside these, and a line here. They are all loaded to parse a command
 * line, so each loads what it works with when it is called.
 */
export const COMMANDS: readonly ((cli: Cli) => Command | Promise<Command>)[] = [
  initCommand,
  checkCommand,
  planCommand,
  distillCommand,
  trainCommand,
  continualCommand,
  labelCommand,
  evalCommand,
  measureCommand,
  exportCommand,
  generateCommand,
  askCommand,
  compileCommand,
  reportCommand,
  gradCommand,
  inspectCommand,
  storeCommand,
  schemaCommand,
  doctorCommand,
];
