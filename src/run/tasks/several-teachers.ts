import { labelsOf } from '../../data/batch.ts';
import type { PreparedDataset } from '../../data/prepared/dataset-manifest.ts';
import { LimbeckError } from '../../errors.ts';
import type { Graph } from '../../onnx/graph.ts';
import { writeModel } from '../../onnx/write-model.ts';
import { percent } from '../../percent.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { ClassMatch } from '../../teachers/match-classes.ts';
import { orderOutputs } from '../../teachers/order-outputs.ts';
import {
  combineTeachers,
  type Member,
  memberOutput,
  type Weighting,
} from '../../teachers/several/combine.ts';
import { fitTemperature, logChance } from '../../teachers/several/fit-temperature.ts';
import { mixtureWeights } from '../../teachers/several/mixture-weights.ts';
import { alone, type SeveralChoice } from '../../teachers/several/options.ts';
import { LOGITS, type TeacherSource } from '../../teachers/teacher-source.ts';
import { splitBatches } from '../batches/sample-batches.ts';
import { datasetAsRead } from '../context/as-teacher-reads.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TeacherReading } from '../context/task.ts';
import { isClassifier } from '../heads/recipe-heads.ts';
import { openLabeller, TEACHER_BATCH } from '../teaching/ask-teacher.ts';
import { membersInLogits } from '../teaching/members-in-logits.ts';
import { readingBy } from '../teaching/reading-by.ts';
import type { BoundSamples, RecipeRun, SampleKind, SampleReading } from './sample-kind.ts';

/** Several teachers, where the recipe names them; undefined where it names one, or none. */
export function severalChoice({ teacher }: Pick<Recipe, 'teacher'>): SeveralChoice | undefined {
  return teacher?.kind === 'several' ? (teacher as unknown as SeveralChoice) : undefined;
}

/**
 * Samples of a kind that several teachers label. Each is opened as it would be alone, reads samples by its own processor and
 * has its own order of classes; all that follows has one teacher, whose model is theirs and what brings their answers to one.
 *
 * @throws LimbeckError `teacher.classes` where one of them lacks a class that the data, or the first, have; and what opening
 *   each of them throws
 */
export async function openSeveral(
  kind: SampleKind,
  run: RecipeRun,
  choice: SeveralChoice,
): Promise<SampleReading> {
  const { recipe } = run;
  requireClassifier(recipe, choice);
  const readings: SampleReading[] = [];
  for (const member of choice.teachers) {
    const own = { ...recipe, teacher: alone(member, choice) } as Recipe;
    // What the first one reads by is what the student reads by, unless the recipe says otherwise.
    const tokenizer = run.tokenizer ?? readings[0]?.tokenizer;
    readings.push(await kind.open({ ...run, recipe: own, tokenizer }));
  }
  const [first] = readings as [SampleReading, ...SampleReading[]];
  return {
    ...first,
    teacherImages: readings.flatMap(({ teacherImages = [] }) => teacherImages),
    warnings: [...new Set(readings.flatMap(({ warnings = [] }) => warnings))],
    async bind(dataset) {
      const bound: BoundSamples[] = [];
      for (const reading of readings) bound.push(await reading.bind(dataset));
      return together(bound, dataset, choice);
    },
  };
}

/** All of them as one teacher. */
function together(
  bound: readonly BoundSamples[],
  dataset: PreparedDataset,
  choice: SeveralChoice,
): BoundSamples {
  const [first] = bound as [BoundSamples, ...BoundSamples[]];
  const sources = bound.map(({ teacher }) => teacher as TeacherSource);
  const members = bound.map((one, i): Member => {
    const { model } = sources[i] as TeacherSource;
    const inputs = one.teacherReads && ownInputs(i, model);
    return {
      model: orderOutputs(model, outputsFor(one, dataset, i)),
      ...(inputs && { inputs }),
    };
  });
  const teacherReads = readingOfAll(bound);
  const titles = namesOf(sources, choice);
  const build = (
    weighting: Weighting,
    temperatures: readonly number[] = [],
    of: readonly Member[] = members,
  ) => {
    const tempered = of.map((member, i): Member => ({ ...member, temperature: temperatures[i] ?? 1 }));
    return withNote(combineTeachers(tempered, choice.combine, weighting), choice);
  };
  const title = titles.join(' and ');
  const source: TeacherSource = {
    title,
    model: onlyLogits(build(fixed(choice, titles.length))),
    logitsOutput: LOGITS,
    origin: sources.flatMap(({ origin = [] }) => origin),
    licences: sources.flatMap(({ licences = [] }) => licences),
    notes: sources.flatMap(({ notes = [], title: whose }) => notes.map((note) => `${whose}: ${note}`)),
  };
  const { labels, classOfLabel, onlyTaught, assumed } = first.classes as ClassMatch;
  const { teach: _teach, remember: _remember, teacherReads: _reads, ...samples } = first;
  return {
    ...samples,
    teacher: source,
    teacherTitle: title,
    classes: { labels, classOfLabel, onlyTaught, assumed, outputs: labels.map((_, i) => i) },
    ...(teacherReads && { teacherReads }),
    async teach(run, { task }) {
      const reading = teacherReads ? datasetAsRead(dataset, teacherReads) : dataset;
      const own = { ...task, ...(teacherReads && { ...teacherReads }) };
      const scored = await membersInLogits(run, members, titles, { dataset: reading, task: own });
      const found =
        choice.weights === 'validation'
          ? await fitted(
              run,
              {
                model: build(
                  titles.map(() => 1),
                  [],
                  scored,
                ),
                dataset: reading,
                task: own,
              },
              titles,
            )
          : { weighting: fixed(choice, titles.length), temperatures: titles.map(() => 1) };
      const { weighting, temperatures } = found;
      const model = build(weighting, temperatures, scored);
      return {
        model: onlyLogits(model),
        validation: null,
        members: {
          model,
          list: titles.map((name, i) => ({
            title: name,
            output: memberOutput(i),
            weight: typeof weighting === 'string' ? null : (weighting[i] as number) / sum(weighting),
          })),
        },
      };
    },
  };
}

function requireClassifier(recipe: Recipe, { teachers, weights }: SeveralChoice): void {
  const problem = !isClassifier(recipe)
    ? {
        message: 'several teachers teach one class',
        where: 'outputs',
        remedy: 'Leave outputs out, or name one teacher.',
      }
    : Array.isArray(weights) && (weights.length !== teachers.length || sum(weights) === 0)
      ? {
          message: `there are ${weights.length} weights of ${teachers.length} teachers${sum(weights) === 0 ? ', and all are 0' : ''}`,
          where: 'teacher.weights',
          remedy: 'Give one for each teacher, in their order.',
        }
      : undefined;
  if (problem) throw new LimbeckError('recipe.invalid', problem.message, problem);
}

/** For each class of the data the output of a teacher that stands for it. */
function outputsFor({ classes, teacher }: BoundSamples, dataset: PreparedDataset, i: number): number[] {
  const match = classes as ClassMatch;
  return dataset.labels.map((label) => {
    const at = match.labels.indexOf(label);
    if (at >= 0) return match.outputs[at] as number;
    throw new LimbeckError('teacher.classes', `one of the teachers has no class '${label}'`, {
      where: `teacher.teachers[${i}], ${teacher?.title}: ${match.labels.join(', ').slice(0, 300)}`,
      remedy: `Name its classes as the data does (teacher.teachers[${i}].labels), or leave it out.`,
    });
  });
}

/** The weights that stand before anything is measured. */
function fixed({ weights }: SeveralChoice, teachers: number): Weighting {
  if (typeof weights !== 'string') return weights;
  return weights === 'confidence' || weights === 'agreement' ? weights : Array(teachers).fill(1);
}

/**
 * The temperature of each teacher, and then the weights of their mixture, under which the labelled validation samples are
 * likeliest: without the first a teacher that is too sure of itself would count for nothing.
 */
async function fitted(
  run: RunContext,
  {
    model,
    dataset,
    task,
  }: { model: Graph; dataset: PreparedDataset; task: Parameters<typeof openLabeller>[1] },
  titles: readonly string[],
): Promise<{ weighting: number[]; temperatures: number[] }> {
  const outputs = titles.map((_, i) => memberOutput(i));
  const labeller = await openLabeller(run, task, writeModel(model), titles.join(' and '));
  const labels: number[] = [];
  const logits: Float32Array[][] = titles.map(() => []);
  try {
    for (const batch of splitBatches(dataset.splits.validation, TEACHER_BATCH)) {
      run.checkInterrupted();
      const answers = await labeller.label(batch, outputs);
      const truth = labelsOf(batch).subarray(0, batch.filled);
      for (const [row, label] of truth.entries()) {
        if (label < 0) continue;
        labels.push(label);
        outputs.forEach((output, i) => {
          const all = answers[output] as Float32Array;
          const classes = all.length / batch.filled;
          logits[i]?.push(all.slice(row * classes, (row + 1) * classes));
        });
      }
    }
  } finally {
    await labeller.close();
  }
  const temperatures = logits.map((rows) => fitTemperature({ logits: joined(rows), labels }));
  const chances = labels.map((label, sample) =>
    logits.map((rows, i) =>
      Math.exp(logChance(rows[sample] as Float32Array, label, temperatures[i] as number)),
    ),
  );
  const weighting = mixtureWeights(chances, titles.length);
  const told = titles.map(
    (title, i) =>
      `${title} ${percent(weighting[i] as number)} (temperature ${(temperatures[i] as number).toFixed(2)})`,
  );
  const message = `the teachers count, by ${labels.length} validation samples: ${told.join(', ')}`;
  run.emit({ type: 'log', level: 'info', message });
  return { weighting, temperatures };
}

function joined(rows: readonly Float32Array[]): Float32Array {
  const width = rows[0]?.length ?? 0;
  const all = new Float32Array(rows.length * width);
  for (const [i, row] of rows.entries()) all.set(row, i * width);
  return all;
}

/** The names of the columns that a teacher with a processor of its own reads, by those of its model. */
function ownInputs(i: number, { inputs }: Graph): ReadonlyMap<string, string> {
  return new Map(inputs.map(({ name }) => [name, `teacher_${i}_${name}`]));
}

/** How all of them read: the columns of those with a processor of their own beside those of the student. */
function readingOfAll(bound: readonly BoundSamples[]): TeacherReading | undefined {
  const models = bound.map(({ teacher }) => (teacher as TeacherSource).model);
  const own = bound.flatMap(({ teacherReads }, i) =>
    teacherReads ? [{ teacherReads, i, names: ownInputs(i, models[i] as Graph) }] : [],
  );
  if (own.length === 0) return undefined;
  const others = models.filter((_, i) => !bound[i]?.teacherReads);
  const columns = [
    ...new Set(others.flatMap(({ inputs }) => inputs.map(({ name }) => name))),
    ...own.flatMap(({ names }) => [...names.values()]),
  ];
  const told = own.map(({ teacherReads, i }) => `teacher ${i}: ${teacherReads.preprocessing}`).join('; ');
  const preprocessing = others.length > 0 ? `${told}; the others as the student` : told;
  return readingBy({ preprocessing, columns }, (batch, split) => {
    const all = { ...batch.columns };
    const sizes: Record<string, number> = { ...batch.sizes };
    for (const { teacherReads, i, names } of own) {
      const read = teacherReads.batch(batch, split);
      for (const [name, as] of names) {
        const column = read.columns[name];
        if (!column) continue;
        all[as] = column;
        if (column.dims.length === 2) sizes[`sequence_${i}`] = column.dims[1] as number;
      }
    }
    return { columns: all, sizes };
  });
}

/** What was decided is part of what a teacher is: other weights, another one. */
function withNote(graph: Graph, { combine, weights }: SeveralChoice): Graph {
  const metadata = new Map([...graph.metadata, ['limbeck.several', JSON.stringify({ combine, weights })]]);
  return { ...graph, metadata };
}

function onlyLogits(graph: Graph): Graph {
  return { ...graph, outputs: graph.outputs.filter(({ name }) => name === LOGITS) };
}

/** Titles that tell them apart: most files are called `model.onnx`, and a recipe names their folders. */
function namesOf(sources: readonly TeacherSource[], { teachers }: SeveralChoice): string[] {
  const distinct = (names: readonly string[]) => new Set(names).size === names.length;
  const titles = sources.map(({ title }) => title);
  if (distinct(titles)) return titles;
  const models = teachers.map(({ model }, i) => (typeof model === 'string' ? model : (titles[i] as string)));
  return distinct(models) ? models : titles.map((title, i) => `${title} (${i + 1})`);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
