import { LimbeckError } from '../errors.ts';
import { KnowledgeStore } from '../knowledge/store.ts';
import { ENVIRONMENT } from '../platform/machine.ts';
import { type HostedRecipe, isHosted, type Recipe } from '../recipe/schema.ts';
import type { Abilities } from '../teachers/chat/abilities.ts';
import { hostedTitle } from '../teachers/chat/address.ts';
import { examineCalibration } from './calibrating/examine-calibration.ts';
import { requireStudentForm } from './compressing/require-student-form.ts';
import { interrupted, isStop, storeFolder } from './context/run-context.ts';
import type { RunOptions } from './context/run-options.ts';
import type { TaskData } from './context/task.ts';
import { requireRuntimes } from './gates/require-runtimes.ts';
import { assumedData } from './planning/assumed-data.ts';
import { openTask } from './tasks/index.ts';
import { findAbilities, knownAbilities, probePrice, reachEndpoint } from './teaching/hosted-abilities.ts';
import { probeContext } from './teaching/hosted-teacher.ts';
import { downloadsOf } from './teaching/local-teacher.ts';

/** One finding about a recipe. */
export interface RecipeFinding {
  readonly name: string;
  /** `missing`: not known yet. `problem`: a run would stop. */
  readonly status: 'ok' | 'missing' | 'problem';
  readonly found: string;
  /** Where a problem is: a key of the recipe, a file. */
  readonly where?: string | undefined;
  readonly remedy?: string | undefined;
}

export interface ExamineOptions extends RunOptions {
  readonly calibrate?: boolean;
  readonly online?: boolean;
}

/**
 * Looks whether a recipe's run would start: its data, its teacher. Of a hosted teacher it looks whether the key is there, the
 * endpoint lets us in and knows the model, which is free.
 *
 * @param options.calibrate whether to measure how the student's convolutions are computed fastest on this machine; trainings find it
 * @param options.online whether it may also ask the endpoint what it can do, which costs a request or two about a text of ours
 */
export async function examineRecipe(recipe: Recipe, options: ExamineOptions): Promise<RecipeFinding[]> {
  const findings: RecipeFinding[] = [{ name: 'recipe', status: 'ok', found: recipe.name }];
  let data: TaskData | undefined;
  try {
    const downloads = await downloadsOf({ recipe, options });
    for (const found of downloads) {
      const remedy = 'A run downloads it first; so do `limbeck check` and `limbeck plan`.';
      findings.push({ name: 'download', status: 'missing', found, remedy });
    }
    // What is not here is not looked into.
    if (downloads.length > 0) return findings;
    const task = await openTask({ recipe, options });
    if (task.teacher) findings.push({ name: 'teacher', status: 'ok', found: task.teacher.title });
    data = options.calibrate ? await assumedData(task) : await task.prepareData({});
    const { train, labelled, validation, test } = data.dataset.splits;
    findings.push({
      name: 'data',
      status: 'ok',
      found: `${data.dataset.title}: ${train.size} to train on (${labelled.size} with labels), ${validation.size} to validate, ${test.size} to test`,
    });
    const { parameters, graph } = data.buildStudent();
    const trained = new Set(parameters);
    const numbers = [...graph.initializers].reduce(
      (sum, [{ name }, content]) => (trained.has(name) ? sum + content.data.length : sum),
      0,
    );
    const found = `${recipe.student.kind}, ${numbers.toLocaleString('en')} parameters that learn`;
    findings.push({ name: 'student', status: 'ok', found });
    if (options.calibrate) {
      const found = await examineCalibration(recipe, data, options);
      findings.push({ name: 'calibration', status: 'ok', found });
    }
    findings.push(...(await examineShape(recipe, data, options)));
    if (isHosted(recipe)) findings.push(...(await examineHosted(recipe, data, options)));
  } catch (error) {
    if (isStop(error, options.signal)) throw interrupted();
    findings.push(problemOf(data ? 'teacher' : 'data and teacher', error));
  } finally {
    data?.dataset.close();
  }
  return findings;
}

/** Whether the transforms fit the student, and whether the runtimes are there that the recipe bounds: each is started. */
async function examineShape(
  recipe: Recipe,
  data: TaskData,
  options: ExamineOptions,
): Promise<RecipeFinding[]> {
  let name = 'compress';
  const findings: RecipeFinding[] = [];
  try {
    await requireStudentForm(recipe, data);
    name = 'runtimes';
    for (const { on, started } of await requireRuntimes(recipe, options))
      findings.push({ name: `runtime ${on}`, status: 'ok', found: started.title });
  } catch (error) {
    if (isStop(error, options.signal)) throw error;
    findings.push(problemOf(name, error));
  }
  return findings;
}

async function examineHosted(
  recipe: HostedRecipe,
  data: TaskData,
  options: ExamineOptions,
): Promise<RecipeFinding[]> {
  const { teacher: choice } = recipe;
  const findings: RecipeFinding[] = [];
  if (choice.key !== false) {
    const isThere = Boolean(ENVIRONMENT[choice.key]);
    findings.push({
      name: 'key',
      status: isThere ? 'ok' : 'problem',
      found: isThere ? `${choice.key} is set` : `${choice.key} is not set`,
      ...(!isThere && { remedy: `Set it before you start: export ${choice.key}=...` }),
    });
    if (!isThere) return findings;
  }
  const warnings: string[] = [];
  const store = await KnowledgeStore.open(storeFolder(recipe, options));
  const run = {
    store,
    emit: options.onEvent ?? (() => {}),
    warn: (message: string) => warnings.push(message),
    checkInterrupted: () => options.signal?.throwIfAborted(),
  };
  try {
    await reachEndpoint(run, choice);
    findings.push({ name: 'endpoint', status: 'ok', found: `${hostedTitle(choice)} lets us in` });
    findings.push(
      ...warnings.splice(0).map((found): RecipeFinding => ({ name: 'model', status: 'missing', found })),
    );
    const known = options.online ? await findAbilities(run, data, choice, { again: true }) : undefined;
    for (const head of data.heads) {
      const context = probeContext(choice, head, data.task.tokenizer);
      const abilities = known?.get(head.output) ?? knownAbilities(store.folder, context);
      const name = `abilities (${head.output})`;
      if (abilities) findings.push({ name, status: 'ok', found: told(abilities, head.target.kind) });
      else
        findings.push({
          name,
          status: 'missing',
          found: 'nobody has asked it yet what it can do',
          remedy: `--online asks it about a text of ours (${probePrice(context)}); a run does so before it sends a sample.`,
        });
    }
    return findings;
  } catch (error) {
    return [...findings, problemOf('endpoint', error)];
  } finally {
    await store.close();
  }
}

function told({ model, logprobs, structured, notes }: Abilities, target: string): string {
  const can =
    target === 'class'
      ? logprobs
        ? 'gives log-probabilities: soft labels from one answer'
        : 'gives no log-probabilities: votes are counted'
      : target === 'embedding'
        ? 'gives vectors of the width that is wanted'
        : structured
          ? 'keeps to JSON schemas'
          : 'keeps to no JSON schemas: the prompt asks for the form';
  return [`${model} ${can}`, ...notes].join('; ');
}

function problemOf(name: string, error: unknown): RecipeFinding {
  if (!(error instanceof LimbeckError)) throw error;
  return {
    name,
    status: 'problem',
    found: error.message,
    ...(error.where && { where: error.where }),
    ...(error.remedy && { remedy: error.remedy }),
  };
}
