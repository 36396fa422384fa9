import { exitTerms } from '../../compress/exits/exit-terms.ts';
import { type TransformList, transformContext } from '../../compress/transforms/apply-transforms.ts';
import type { AfterContext, MeasuredStudent, Retraining } from '../../compress/transforms/transform.ts';
import type { KnowledgeGraph } from '../../knowledge/graph/knowledge-graph.ts';
import type { Evaluation } from '../../metrics/metric.ts';
import { objectiveTerms } from '../../objectives/index.ts';
import { keptKnowledge } from '../../objectives/kept-knowledge.ts';
import { type ObjectiveContext, type ObjectiveTerm, withContext } from '../../objectives/objective.ts';
import type { Graph } from '../../onnx/graph.ts';
import type { Student } from '../../students/student.ts';
import type { BatchSource } from '../../train/batch-source.ts';
import { lossGradients } from '../../train/loss-gradients.ts';
import type { StepControl } from '../../train/step-control.ts';
import { trainedTensors, withParameters } from '../../train/step-graph.ts';
import type { RunContext } from '../context/run-context.ts';
import type { TaskData } from '../context/task.ts';
import { metricsOf, selectedMetric } from '../heads/head-metrics.ts';
import { labelTerms, wholeAnswerTerms } from '../heads/label-terms.ts';
import { modelSelection } from '../heads/model-selection.ts';
import { objectiveContext } from '../knowledge/pair-context.ts';
import { calibratedRanges } from '../measuring/int8.ts';
import { validationEvaluator } from '../measuring/validation-evaluator.ts';
import type { Lessons } from '../teaching/lessons.ts';
import type { TrainedTeacher } from '../teaching/trained-teacher.ts';
import { withDecidedTemperature, withoutSchedules } from '../training/decided-temperature.ts';
import { fitStudent } from '../training/fit-student.ts';
import { temperatureControls } from '../training/training-plan.ts';

/** What a run has learnt of its teacher by the time that its student is trained; nothing without a teacher. */
export interface CompressingLessons {
  readonly lessons?: Lessons | undefined;
  readonly teacher?: TrainedTeacher | undefined;
  readonly graph?: KnowledgeGraph | undefined;
  readonly assistant?: Graph | undefined;
}

/** What a transform is given after the training: one at place `index` of a recipe's list. */
export function afterContext(
  run: RunContext,
  data: TaskData,
  taught: CompressingLessons,
  place: { readonly list: TransformList; readonly index: number; readonly validation: Evaluation },
): AfterContext {
  const { recipe, engine } = run;
  const { list, index, validation } = place;
  const { training } = recipe;
  const { kind } = list.items[index] ?? { kind: '' };
  const { lessons } = taught;
  const selection = modelSelection(metricsOf(data.heads), selectedMetric(data.heads), training.earlyStopping);
  const trainingData = () =>
    lessons
      ? data.training('train', lessons.answers.spaces, lessons.answers.added)
      : data.training('labelled');
  const decided = lessons ? withDecidedTemperature(run, data, lessons) : run;

  return {
    ...transformContext(list, index),
    metric: selection.metric,
    validation,
    retrain,
    measure,
    gradients: (student, batches, visit) =>
      lossGradients(
        { engine, student, terms: termsFor(student, true), ...trainingData(), seed: recipe.seed },
        batches,
        visit,
      ),
    ...(recipe.export.int8 && {
      int8: {
        weights: recipe.export.int8,
        ranges: (model: Graph) =>
          calibratedRanges({
            engine,
            model,
            data,
            seed: recipe.seed,
            checkInterrupted: run.checkInterrupted,
          }),
      },
    }),
    stepsIn: (epochs) => stepsIn(trainingData().batches, epochs),
    tell: (message) => run.emit({ type: 'log', level: 'info', message }),
    warn: (message) => run.warn(message),
  };

  /** The recipe's loss of a student: what it looks into of its layers is as wide as they are now. */
  function termsFor(student: Student, isStill = false): ObjectiveTerm[] {
    const terms = recipeTerms(student, isStill);
    return [...terms, ...exitTerms(student.graph, terms)];
  }

  function recipeTerms(student: Student, isStill: boolean): ObjectiveTerm[] {
    if (!lessons) return labelTerms(data, recipe.objective);
    const { objective } = decided.recipe;
    return objectiveTerms(isStill ? withoutSchedules(objective) : objective, contextFor(student, lessons));
  }

  function contextFor(student: Student, { context }: Lessons): ObjectiveContext {
    const { teacher, graph, assistant } = taught;
    const own = { ...data, buildStudent: () => student };
    const fitting = teacher ? objectiveContext(run, own, teacher, graph) : context;
    return assistant ? withContext(fitting, { assistant }) : fitting;
  }

  async function retrain(name: string, student: Student, how: Retraining): Promise<MeasuredStudent> {
    const { epochs, learningRate = 1, keep, terms = [], objective = true, select } = how;
    const { batches, variants } = trainingData();
    const totalSteps = stepsIn(batches, epochs);
    const controls: StepControl[] =
      lessons && objective ? temperatureControls(decided.recipe, lessons.context, totalSteps) : [];
    if (how.inspect) controls.push({ name: 'inspect', afterStep: ({ tensors }) => how.inspect?.(tensors) });
    const result = await fitStudent(run, data, {
      name: ['compress', `${index}-${kind}`, name],
      task: `${kind} ${name}`,
      student,
      variants,
      terms: [
        ...(objective === true ? termsFor(student) : []),
        ...(objective === 'exits' ? exitTerms(student.graph, recipeTerms(student, false)) : []),
        ...(keep ? keptKnowledge(wholeAnswerTerms(data), keep.graph, keep.weight) : []),
        ...terms,
      ],
      totalSteps,
      learningRate: learningRate * training.optimizer.learningRate,
      plan: { batches, controls },
      selection: { metric: selection.metric },
      ...(select === 'last' && { evaluateOnce: true }),
    });
    return {
      student: withParameters(student, result.parameters),
      validation: result.best.evaluation,
    };
  }

  async function measure(student: Student): Promise<Evaluation> {
    const evaluator = validationEvaluator(run, data, student);
    try {
      const contents = [...trainedTensors(student)].map(
        ([name, tensor]) => [name, tensor.data as Float32Array] as const,
      );
      return await evaluator.evaluate(new Map(contents));
    } finally {
      await evaluator.close();
    }
  }
}

function stepsIn({ batchesPerEpoch }: Pick<BatchSource, 'batchesPerEpoch'>, epochs: number): number {
  return Math.max(1, Math.round(epochs * batchesPerEpoch));
}
