import { z } from 'zod';
import { prepareForGradients } from '../autodiff/prepare.ts';
import { stopGradient } from '../autodiff/stop-gradient.ts';
import { LimbeckError } from '../errors.ts';
import type { ModelAnatomy } from '../onnx/anatomy/anatomy.ts';
import type { Graph, TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { attributedName, attributedValue, isPixels } from './attributed-features.ts';
import { binaryKd } from './binary-cross-entropy.ts';
import { boundaryAttack } from './boundary-attack.ts';
import { askedOf, type InnerOutput, innerOutput } from './inner-output.ts';
import { kdLogits, temperatureOption } from './kd-logits.ts';
import { defineObjective, type ObjectiveContext, type ObjectiveTerm, termWeight } from './objective.ts';
import { namesFor, type OutputNames, outputOption } from './output-names.ts';
import { requiredModels } from './required-models.ts';
import { asBatch, firstRows, partOption, rowsOf } from './row-part.ts';

const NAME = 'boundary';

export interface BoundaryOptions {
  readonly weight: number;
  readonly temperature: number;
  readonly epsilon: number;
  readonly steps: number;
  readonly part: number;
  readonly target: 'kept' | 'teacher';
}

/**
 * Distillation at the student's decision boundary: the first rows of a batch are moved, inside the step, from the class
 * that the teacher ranks first towards the one that it ranks second (of several classes: so that the one that it decides most
 * narrowly is decided otherwise) by `boundaryAttack` on the student, and the student is to say there what the teacher said of
 * the sample as it was (`kept`: adversarially robust distillation), or what the teacher says there (`teacher`, whose model is
 * then part of the step, with its weights). KL with temperature, for each row.
 *
 * The attack looks at the student in its evaluation form, where the gradient of a row is its own; what is learnt is
 * learnt in training form, batch normalisations with the statistics of the attacked rows. Padding is never attacked: the
 * gradient by it is 0. Pixels may leave the range that images have.
 *
 * Heo, Lee, Yun and Choi (2019), section 3; Goldblum, Fowl, Feizi and Goldstein, "Adversarially Robust Distillation"
 * (2020), equation 4.
 */
export function boundaryTerm(
  options: BoundaryOptions,
  { student, teacher }: { student: ModelAnatomy; teacher?: TeacherInStep },
  about: InnerOutput = innerOutput(undefined, {}),
  names: OutputNames = namesFor(NAME, undefined, {}),
): ObjectiveTerm {
  const { weight, temperature, part } = options;
  const { margin, distribution } = askedOf(about, 'boundary', NAME);
  return {
    name: names.term,
    weight,
    build(g, inputs) {
      const output = about.head ? about.output : (student.logits ?? about.output);
      const answers = inputs.knowledge(about.output, inputs.student(output).shape.slice(1));
      const batch = answers.shape[0] as number;
      const rows = rowsOf(part, answers);
      const kept = firstRows(g, answers, rows);
      const name = attributedName(student, 'student', NAME);
      const features = firstRows(g, attributedValue(inputs.student, student, 'student', NAME), rows);
      const at = (moved: TypedValue, form: 'training' | 'evaluation') =>
        inputs.rerun(new Map([[name, moved]]), { rows, form })(output);
      const disturbance = g.scope('attack', () =>
        boundaryAttack(
          g,
          features,
          (moved) => margin(g, { answers: at(moved, 'evaluation'), teacher: kept }),
          options,
        ),
      );
      const attacked = g.add(features, disturbance);
      const compared = {
        student: at(attacked, 'training'),
        teacher: teacher ? teacherLogits(g, teacher, attacked) : kept,
        rowWeights: firstRows(g, inputs.input(names.rowWeights, 'float32', [batch]), rows),
        temperature,
      };
      const losses = distribution === 'softmax' ? kdLogits(g, compared) : binaryKd(g, compared);
      return asBatch(g, losses, batch);
    },
  };
}

/** A teacher that is asked inside the step. */
export interface TeacherInStep {
  readonly graph: Graph;
  /** float32 [batch, classes]. */
  readonly logits: string;
}

/** What the teacher says of images, [n, C]: its model, with its weights as constants, becomes part of the step. */
function teacherLogits(g: GraphBuilder, { graph, logits }: TeacherInStep, pictures: TypedValue): TypedValue {
  if (!isPixels(pictures)) {
    throw new LimbeckError('recipe.invalid', 'a teacher cannot be asked at the embeddings of its student', {
      where: `objective.${NAME}.target`,
      remedy: `Use the kept answers (target: kept): models of texts have embeddings of their own.`,
    });
  }
  const prepared = prepareForGradients(graph);
  const [input] = prepared.inputs;
  if (!input || prepared.inputs.length > 1) throw notOnPictures(prepared);
  const values = g.inline(prepared, new Map([[input.name, stopGradient(g, pictures)]]), 'teacher');
  const answers = values.get(logits);
  if (!answers) throw notOnPictures(prepared);
  return answers;
}

function notOnPictures({ name, inputs }: Graph): LimbeckError {
  return new LimbeckError('recipe.invalid', 'the teacher cannot be asked inside the training step', {
    where: `objective.${NAME}.target: the inputs of ${name} are ${inputs.map((input) => input.name).join(', ')}`,
    remedy: 'Use the kept answers (target: kept), or a teacher whose only input are pixels.',
  });
}

function teacherInStep(context: ObjectiveContext, { head, output }: InnerOutput): TeacherInStep {
  const { teacherGraph, models } = context;
  if (teacherGraph) {
    return { graph: teacherGraph, logits: head ? output : (models?.teacher.logits ?? output) };
  }
  throw new LimbeckError('recipe.invalid', "the teacher's model is not at hand", {
    where: `objective.${NAME}.target`,
    remedy: 'Use the kept answers (target: kept) for this command.',
  });
}

export const boundary = defineObjective({
  kind: NAME,
  level: 'task',
  adversarial: true,
  options: z
    .strictObject({
      weight: termWeight(0),
      output: outputOption,
      temperature: temperatureOption(2).describe('Softens both distributions.'),
      epsilon: z
        .number()
        .gt(0)
        .max(10)
        .default(0.1)
        .describe(
          'How far a sample is moved at each pixel or element of an embedding, in parts of their root mean square (of normalised pixels: about a deviation).',
        ),
      steps: z.int().min(1).max(20).default(1).describe('Steps of the attack, each a run of the student.'),
      part: partOption(0.25),
      target: z
        .enum(['kept', 'teacher'])
        .default('kept')
        .describe(
          "What the student is to say there: the teacher's kept answer for the sample as it was, or (images) what the teacher says of the moved one, asked in every step.",
        ),
    })
    .describe(
      "KL divergence to the teacher on samples that are moved, in every step, towards the class that the teacher ranks second: samples that support the student's decision boundary (Heo et al., 2019; Goldblum et al., 2020).",
    ),
  answers: ({ output }, context) => [namesFor(NAME, output, context).tap],
  term(options, context) {
    const about = innerOutput(options.output, context);
    const { student } = requiredModels(context, NAME);
    return boundaryTerm(
      options,
      { student, ...(options.target === 'teacher' && { teacher: teacherInStep(context, about) }) },
      about,
      namesFor(NAME, options.output, context),
    );
  },
});
