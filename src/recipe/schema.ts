import { z } from 'zod';
import { LimbeckError } from '../errors.ts';
import { fromRegistries } from '../registry.ts';
import { BACKBONES, GIVEN_STUDENTS } from '../students/index.ts';
import { TASKS } from '../tasks/index.ts';
import {
  HOSTED_TEACHERS,
  type HostedTeacherChoice,
  type HubTeacherChoice,
  type TeacherChoice,
} from '../teachers/index.ts';
import { compressProblems, compressSchema } from './compress.ts';
import { continualSchema } from './continual.ts';
import { dynamicsProblems } from './curriculum.ts';
import { cutProblems } from './cut-problems.ts';
import { dataSchema } from './data.ts';
import { exportSchema } from './export.ts';
import { framesProblems } from './frames-problems.ts';
import { gateProblems } from './gate.ts';
import { headsProblems } from './heads-problems.ts';
import { hostedProblems } from './hosted.ts';
import { inputsSchema } from './inputs.ts';
import { knowledgeSchema } from './knowledge.ts';
import { languageModelProblems } from './language-model-problems.ts';
import { meaningProblems } from './meaning.ts';
import { misplacedKinds } from './misplaced-kinds.ts';
import { modalityProblems } from './modality-problems.ts';
import { nothingLearntProblems } from './nothing-learnt.ts';
import { objectiveSchema } from './objective.ts';
import { onPolicyProblems } from './on-policy.ts';
import { outputsSchema } from './outputs.ts';
import { registryUnion } from './registry-union.ts';
import { metricProblems } from './selection-metric.ts';
import { sentenceProblems } from './sentence-problems.ts';
import { stageProblems, stagesSchema } from './stages.ts';
import { switchable, withSwitches } from './switched-off.ts';
import { takenNameProblems } from './taken-names.ts';
import { teacherSchema } from './teacher.ts';
import { teacherMemoryProblems } from './teacher-memory.ts';
import { trainedTeacherProblems } from './trained-teacher-problems.ts';
import { trainingSchema } from './training.ts';
import { weightingSchema } from './weighting.ts';
import { writtenProblems } from './written.ts';

/**
 * A recipe: everything that decides what a run does. This is its only declaration: its types, defaults, JSON schema,
 * help and errors all come from here.
 */
export const recipeSchema = fromRegistries(() =>
  z
    .strictObject({
      name: z
        .string()
        .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
          error: 'expected letters, digits, dots and dashes, at most 64',
        })
        .describe('Names the run; its folder is runs/NAME unless --out says otherwise.'),
      task: z
        .enum(TASKS.map(({ kind }) => kind) as [string, ...string[]])
        .default('text-classification')
        .describe(
          "What is learnt, as a pipeline of Hugging Face calls it: says what is read and answered where the recipe's inputs and outputs do not.",
        ),
      seed: z
        .int()
        .min(0)
        .max(2 ** 32 - 1)
        .default(1)
        .describe('All randomness of the run comes from it.'),
      engine: z
        .enum(['cpu', 'cuda', 'webgpu'])
        .default('cpu')
        .describe('Where graphs run; `limbeck doctor` tells what loads here.'),
      data: dataSchema(),
      inputs: inputsSchema(),
      outputs: outputsSchema(),
      teacher: switchable(teacherSchema()).describe(
        'Who teaches. A recipe without a teacher is one for `limbeck train`.',
      ),
      student: registryUnion([...BACKBONES, ...GIVEN_STUDENTS]).describe('What is taught.'),
      objective: objectiveSchema(),
      weighting: weightingSchema,
      knowledge: knowledgeSchema,
      training: trainingSchema(),
      continual: continualSchema,
      stages: stagesSchema(),
      compress: compressSchema(),
      baseline: z
        .union([
          z.literal(false),
          z.strictObject({
            epochs: z
              .int()
              .positive()
              .default(60)
              .describe(
                'Passes over the labelled samples, at most; the best one counts, as for the student.',
              ),
          }),
        ])
        .prefault({})
        .describe(
          'The same student without a teacher, trained on the labels alone, to compare with; false leaves out it and the linear models, as --no-baseline does.',
        ),
      export: exportSchema,
      report: z
        .strictObject({
          examples: z
            .boolean()
            .default(true)
            .describe(
              'Whether the report, the model card and the files beside them show samples; false keeps all raw texts and images out of them.',
            ),
        })
        .prefault({})
        .describe('What is told of a run.'),
      store: z
        .string()
        .min(1)
        .default('.limbeck/store')
        .describe('Folder of the knowledge store, which runs share; relative to the working folder.'),
    })
    .superRefine((recipe, context) => {
      for (const { path, message } of misplacedKinds(recipe as Recipe))
        context.addIssue({ code: 'custom', path: [...path], message });
      for (const problem of [
        ...stageProblems(recipe),
        ...takenNameProblems(recipe as Recipe),
        ...compressProblems(recipe),
        ...dynamicsProblems(recipe),
        // A loss that was misspelt weighs nothing, and is told already.
        ...(context.issues.length === 0 ? nothingLearntProblems(recipe) : []),
        ...meaningProblems(recipe),
        ...modalityProblems(recipe as Recipe),
        ...languageModelProblems(recipe as Recipe),
        ...sentenceProblems(recipe as Recipe),
        ...headsProblems(recipe as Recipe),
        ...cutProblems(recipe as Recipe),
        ...framesProblems(recipe as Recipe),
        ...writtenProblems(recipe as Recipe),
        ...onPolicyProblems(recipe as Recipe),
        ...metricProblems(recipe as Recipe),
        ...gateProblems(recipe as Recipe),
        ...hostedProblems(recipe as Recipe),
        ...teacherMemoryProblems(recipe as Recipe),
        ...trainedTeacherProblems(recipe as Recipe),
      ])
        context.addIssue({ code: 'custom', ...problem });
    })
    .describe('A Limbeck recipe.'),
);

/** A recipe with every default filled in. */
export type Recipe = z.output<ReturnType<typeof recipeSchema>>;
/** A recipe that says who teaches. */
export type TaughtRecipe = Recipe & { teacher: NonNullable<Recipe['teacher']> };
/** A recipe whose teacher is a model that runs here. */
export type DistillRecipe = Recipe & {
  teacher: Exclude<NonNullable<Recipe['teacher']>, { kind: HostedTeacherChoice['kind'] }>;
};
/** A recipe whose teacher is asked somewhere else. */
export type HostedRecipe = Recipe & { teacher: HostedTeacherChoice };

/** A recipe whose teacher reads texts. */
export type TextDistillRecipe = Recipe & { teacher: TeacherChoice | HubTeacherChoice };

/**
 * Asserts that the recipe has a teacher.
 *
 * @throws LimbeckError `recipe.no-teacher`
 */
export function requireTeacher(recipe: Recipe): asserts recipe is TaughtRecipe {
  if (recipe.teacher) return;
  throw new LimbeckError('recipe.no-teacher', `the recipe '${recipe.name}' names no teacher`, {
    where: 'teacher',
    remedy: 'Add one (teacher: { kind: use-lite }), or train without: `limbeck train`.',
  });
}

/** Whether the teacher is asked somewhere else: it has no graph, and its answers cost. */
export function isHosted(recipe: Recipe): recipe is HostedRecipe {
  return HOSTED_TEACHERS.some(({ kind }) => kind === recipe.teacher?.kind);
}

/** Asserts that the teacher is a model that runs here. @throws LimbeckError `recipe.no-teacher`, `recipe.invalid` */
export function requireModelTeacher(recipe: Recipe): asserts recipe is DistillRecipe {
  requireTeacher(recipe);
  if (!isHosted(recipe)) return;
  throw new LimbeckError(
    'recipe.invalid',
    `the teacher '${recipe.teacher.kind}' is no model that runs here`,
    {
      where: 'teacher.kind',
    },
  );
}

/** A recipe with a sequence of tasks. */
export type ContinualRecipe = Recipe & { continual: NonNullable<Recipe['continual']> };

/** Asserts that the recipe has a sequence of tasks. @throws LimbeckError `recipe.no-continual` */
export function requireContinual(recipe: Recipe): asserts recipe is ContinualRecipe {
  if (recipe.continual) return;
  throw new LimbeckError('recipe.no-continual', `the recipe '${recipe.name}' has no sequence of tasks`, {
    where: 'continual',
    remedy: 'Add one (continual: { tasks: 5 }); every other key has a default.',
  });
}

/** Asserts that the recipe has a teacher of texts. @throws LimbeckError `recipe.no-teacher`, `recipe.invalid` */
export function requireTextTeacher(recipe: Recipe): asserts recipe is TextDistillRecipe {
  requireTeacher(recipe);
  if ('train' in recipe.teacher) return;
  throw new LimbeckError('recipe.invalid', `the teacher '${recipe.teacher.kind}' reads no texts alone`, {
    where: 'teacher.kind',
  });
}

/** A recipe as a person writes it. */
export type RecipeInput = z.input<ReturnType<typeof recipeSchema>>;

/** The JSON schema (draft 2020-12) of a recipe as it is written, for editors. A copy of the caller's own. */
export function recipeJsonSchema(): z.core.JSONSchema.JSONSchema {
  return withSwitches(jsonSchema());
}

function jsonSchema(): z.core.JSONSchema.JSONSchema {
  return z.toJSONSchema(recipeSchema(), { io: 'input' });
}

/**
 * The same, without the `false` that switches sections off, made once for all who only look into it: making one takes 50 ms.
 */
export const sharedJsonSchema = fromRegistries(jsonSchema);
