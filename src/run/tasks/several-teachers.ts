import type { PreparedDataset } from '../../data/prepared/dataset-manifest.ts';
import { LimbeckError } from '../../errors.ts';
import type { Graph } from '../../onnx/graph.ts';
import type { Recipe } from '../../recipe/schema.ts';
import type { ClassMatch } from '../../teachers/match-classes.ts';
import { orderOutputs } from '../../teachers/order-outputs.ts';
import {
  combineTeachers,
  type Member,
  memberOutput,
  type Weighting,
} from '../../teachers/several/combine.ts';
import { alone, type SeveralChoice } from '../../teachers/several/options.ts';
import { LOGITS, type TeacherSource, type TextTeacherSource } from '../../teachers/teacher-source.ts';
import { datasetAsRead } from '../context/as-teacher-reads.ts';
import type { TeacherTraining } from '../context/task.ts';
import { isClassifier } from '../heads/recipe-heads.ts';
import { fitMembers } from '../teaching/fit-members.ts';
import { teacherKey, trainingChoice } from '../teaching/known-teachers.ts';
import { membersInLogits } from '../teaching/members-in-logits.ts';
import { ownInputs, readingOfAll } from '../teaching/members-reading.ts';
import { untrainedClassifier } from '../teaching/untrained-teacher.ts';
import type { BoundSamples, RecipeRun, SampleKind, SampleReading } from './sample-kind.ts';

/** Several teachers, where the recipe names them; undefined where it names one, or none. */
export function severalChoice({ teacher }: Pick<Recipe, 'teacher'>): SeveralChoice | undefined {
  return teacher?.kind === 'several' ? (teacher as unknown as SeveralChoice) : undefined;
}

/** One of several teachers as it would be alone. */
interface Bound {
  /** The run's recipe, with this teacher. */
  readonly recipe: Recipe;
  readonly samples: BoundSamples;
}

/**
 * Samples of a kind that several teachers label. Each is opened, and trained where it needs a head, as it would be alone, reads
 * samples by its own processor and has its own order of classes; all that follows has one teacher, whose model is theirs and what
 * brings their answers to one.
 *
 * @throws LimbeckError `teacher.classes` where one of them lacks a class that the data, or the first, have; and what opening
 *   each of them throws
 */
export async function openSeveral(
  kind: SampleKind,
  run: RecipeRun,
  choice: SeveralChoice,
): Promise<SampleReading> {
  requireClassifier(run.recipe, choice);
  const opened: { readonly recipe: Recipe; readonly reading: SampleReading }[] = [];
  for (const member of choice.teachers) {
    const recipe = { ...run.recipe, teacher: alone(member, choice) } as Recipe;
    // What the first one reads by is what the student reads by, unless the recipe says otherwise.
    const tokenizer = run.tokenizer ?? opened[0]?.reading.tokenizer;
    opened.push({ recipe, reading: await kind.open({ ...run, recipe, tokenizer }) });
  }
  const readings = opened.map(({ reading }) => reading);
  const { classesOf: _, ...first } = readings[0] as SampleReading;
  // Teachers that are trained have the classes of the data, whatever these are.
  const classesOf = readings.find((reading) => reading.classesOf)?.classesOf;
  return {
    ...first,
    ...(classesOf && { classesOf }),
    teacherImages: readings.flatMap(({ teacherImages = [] }) => teacherImages),
    warnings: [...new Set(readings.flatMap(({ warnings = [] }) => warnings))],
    async bind(dataset) {
      const bound: Bound[] = [];
      for (const { recipe, reading } of opened) bound.push({ recipe, samples: await reading.bind(dataset) });
      return together(run.recipe, bound, dataset, choice);
    },
  };
}

/** All of them as one teacher. */
function together(
  recipe: Recipe,
  bound: readonly Bound[],
  dataset: PreparedDataset,
  choice: SeveralChoice,
): BoundSamples {
  const sources = bound.map(({ samples }) => samples.teacher as TeacherSource);
  const members = bound.map(({ samples }, i): Member => {
    const inputs = samples.teacherReads && ownInputs(i, (sources[i] as TeacherSource).model);
    return { model: classifierOf(samples, dataset, i), ...(inputs && { inputs }) };
  });
  const teacherReads = readingOfAll(
    bound.map(({ samples }, i) => ({ ...samples, model: (sources[i] as TeacherSource).model })),
  );
  const titles = namesOf(bound, choice);
  const build = (
    weighting: Weighting,
    temperatures: readonly number[] = [],
    of: readonly Member[] = members,
  ) => {
    const tempered = of.map((member, i): Member => ({ ...member, temperature: temperatures[i] ?? 1 }));
    return withNote(combineTeachers(tempered, choice.combine, weighting), choice);
  };
  const title = titles.join(' and ');
  const each = (key: 'origin' | 'advice') => sources.flatMap((source) => source[key] ?? []);
  const source: TeacherSource & Partial<Pick<TextTeacherSource, 'maxLength'>> = {
    title,
    ...(teacherReads && { maxLength: longestOf(recipe, bound) }),
    model: onlyLogits(build(fixed(choice, titles.length))),
    logitsOutput: LOGITS,
    origin: each('origin'),
    advice: each('advice'),
    licences: sources.flatMap(({ licences = [] }) => licences),
    notes: sources.flatMap(({ notes = [], title: whose }) => notes.map((note) => `${whose}: ${note}`)),
  };
  const trainings = bound.flatMap(({ samples }) => samples.trainings ?? []);
  const isDecidedInRun = choice.weights === 'validation' || trainings.length > 0;
  const { teach: _teach, knownAs: _known, teacherReads: _reads, ...samples } = (bound[0] as Bound).samples;
  return {
    ...samples,
    teacher: source,
    teacherTitle: title,
    classes: commonClasses(bound),
    ...(teacherReads && { teacherReads }),
    ...(trainings.length > 0 && { trainings }),
    ...(isDecidedInRun && {
      knownAs: ({ engine }) =>
        teacherKey(
          { recipe, engine },
          { model: source.model, tokenizer: teacherReads?.preprocessing ?? '' },
          dataset,
          keyedChoice(choice, trainings),
        ),
    }),
    async teach(run, { task, heads }) {
      const trained: Member[] = [];
      for (const [i, member] of members.entries()) {
        const one = await bound[i]?.samples.teach?.(run, { task, heads, name: `member-${i}` });
        trained.push(one ? { ...member, model: onlyLogits(one.model) } : member);
      }
      const reading = teacherReads ? datasetAsRead(dataset, teacherReads) : dataset;
      const asked = { dataset: reading, task: { ...task, ...teacherReads }, teacherReads };
      const scored = await membersInLogits(run, trained, titles, asked);
      const equal = titles.map(() => 1);
      const { weighting, temperatures } =
        choice.weights === 'validation'
          ? await fitMembers(run, build(equal, [], scored), asked, titles)
          : { weighting: fixed(choice, titles.length), temperatures: equal };
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

/** The most tokens that one of them reads of a text: the data's, or those of a tokenizer of its own. */
function longestOf({ data }: Recipe, bound: readonly Bound[]): number {
  const own = bound.flatMap(({ samples: { teacherReads, teacher } }) => {
    const { maxLength } = (teacher ?? {}) as Partial<TextTeacherSource>;
    return teacherReads && maxLength !== undefined ? [maxLength] : [];
  });
  return Math.max(data.maxLength, ...own);
}

/** The classes of the data, as the first teacher that brings some has matched them; undefined where all are trained. */
function commonClasses(bound: readonly Bound[]): ClassMatch | undefined {
  const match = bound.find(({ samples }) => samples.classes)?.samples.classes;
  if (!match) return undefined;
  const { labels, classOfLabel, onlyTaught, assumed } = match;
  return { labels, classOfLabel, onlyTaught, assumed, outputs: labels.map((_, i) => i) };
}

/** One of them with the classes of the data in their order; with a head that learnt nothing where it is to be trained. */
function classifierOf(samples: BoundSamples, dataset: PreparedDataset, i: number): Graph {
  const [training] = samples.trainings ?? [];
  if (!training)
    return orderOutputs((samples.teacher as TeacherSource).model, outputsFor(samples, dataset, i));
  const { recipe, source } = training;
  const { hidden } = recipe.teacher.head;
  const classes = dataset.labels.length;
  return onlyLogits(untrainedClassifier(source, { classes, hidden, seed: recipe.seed }));
}

/** What decides what they become, besides their models. */
function keyedChoice(
  { kind, combine, weights, precision, minAgreement }: SeveralChoice,
  trainings: readonly TeacherTraining[],
): object {
  const teachers = trainings.map(({ recipe }) => trainingChoice(recipe.teacher));
  return { kind, combine, weights, precision, minAgreement, teachers };
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

/** What was decided is part of what a teacher is: other weights, another one. */
function withNote(graph: Graph, { combine, weights }: SeveralChoice): Graph {
  const metadata = new Map([...graph.metadata, ['limbeck.several', JSON.stringify({ combine, weights })]]);
  return { ...graph, metadata };
}

function onlyLogits(graph: Graph): Graph {
  return { ...graph, outputs: graph.outputs.filter(({ name }) => name === LOGITS) };
}

/** What most files of a model are called, in whatever precision. */
const USUAL_FILE = /^model(_[a-z0-9]+)?\.onnx$/;

/** Titles that tell them apart: most files are called `model.onnx`, and a recipe names their folders. */
function namesOf(bound: readonly Bound[], { teachers }: SeveralChoice): string[] {
  const distinct = (names: readonly string[]) => new Set(names).size === names.length;
  const titles = bound.map(({ samples }) => samples.teacher?.title ?? '');
  const models = teachers.map(({ model }, i) => (typeof model === 'string' ? model : (titles[i] as string)));
  // A file that is called as most are says nothing beside others either.
  const named = titles.map((title, i) => (USUAL_FILE.test(title) ? (models[i] as string) : title));
  const names = distinct(named) ? named : models;
  // With the head that is trained, where one is.
  const whole = bound.map(({ samples: { teacherTitle } }, i) => {
    const name = names[i] as string;
    return teacherTitle?.replace(titles[i] as string, () => name) ?? name;
  });
  return distinct(whole) ? whole : whole.map((title, i) => `${title} (${i + 1})`);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
