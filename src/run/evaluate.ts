import type { Batch } from '../data/batch.ts';
import type { PreparedDataset } from '../data/prepared/dataset-manifest.ts';
import type { KeptSplits } from '../data/splits/kept-splits.ts';
import type { Session } from '../engine/engine.ts';
import { createNodeEngine } from '../engine/node.ts';
import { LimbeckError } from '../errors.ts';
import { MODEL_FILE } from '../export/package-folder.ts';
import { readLogits } from '../metrics/class-answers.ts';
import {
  accuracy,
  type Confusion,
  classResults,
  confusionCounts,
  countAnswer,
  createConfusion,
  macroF1,
} from '../metrics/confusion.ts';
import { OutputsMeasuring } from '../metrics/measure-outputs.ts';
import { readModelFile } from '../onnx/node-files.ts';
import type { Tensor } from '../onnx/tensor.ts';
import { resolve } from '../platform/paths.ts';
import type { Recipe } from '../recipe/schema.ts';
import type { Head } from '../targets/head.ts';
import { modelFiles } from '../teachers/model-folder.ts';
import { LOGITS } from '../teachers/teacher-source.ts';
import { takenFeeds } from '../train/batch-feeds.ts';
import type { EvaluateOptions, EvaluationResult } from './api.ts';
import { splitBatches } from './batches/sample-batches.ts';
import { reopenRun } from './context/finished-run.ts';
import type { RunOptions } from './context/run-options.ts';
import { dataAsInRun } from './data/kept-splits-file.ts';
import { requireKept } from './folder/kept-files.ts';
import { isOneClass, mainFirst } from './heads/head-metrics.ts';
import { isTaughtAlone } from './heads/taught-truth.ts';
import { tuneHeads } from './heads/tune-heads.ts';
import { openClassifier } from './measuring/open-classifier.ts';
import { openTeacherTruth, type TeacherTruth } from './measuring/teacher-truth.ts';
import { requireStudent } from './shipping/require-student.ts';
import { openTask } from './tasks/index.ts';

const ROWS = 64;

/**
 * Measures an ONNX model on a split of a recipe's data: the student of a run by default.
 * Of the training split only the samples with labels count. What only a teacher knows is asked of the run's.
 *
 * @throws LimbeckError `run.not-a-run`, `run.damaged` for a student that is not as it was exported,
 * `export.missing` for a run without a student, `export.kept-back` for one whose student a gate set aside,
 * `run.other-data` where samples of the run's split are gone or relabelled, `model.not-found`,
 * `model.classes` for a model of other classes; AbortError after `options.signal`.
 */
export async function evaluate(target: string | Recipe, options: EvaluateOptions): Promise<EvaluationResult> {
  const {
    recipe,
    options: runOptions,
    files,
  } = typeof target === 'string'
    ? reopenRun(target)
    : {
        recipe: target,
        files: {},
        options: { out: options.out ?? '.', recipeFolder: options.recipeFolder } satisfies RunOptions,
      };
  const settings: RunOptions = { ...runOptions, allowPaths: options.allowPaths, signal: options.signal };
  const model =
    options.model === undefined
      ? resolve(`${settings.out}/student/${MODEL_FILE}`)
      : modelFiles(resolve(options.model)).model;
  if (options.model === undefined) {
    requireStudent(settings.out, model);
    requireKept(
      settings.out,
      files,
      'student',
      'Run `limbeck export` with the folder: it writes the student again.',
    );
  }
  // Tells a file that is missing, no model or none that runs for what it is, before the data is prepared.
  readModelFile(model);
  const engine = runOptions.engine ?? createNodeEngine({ provider: recipe.engine });
  const session = await openClassifier(engine, model);
  let data: Pick<PreparedDataset, 'close'> | undefined;
  let truth: TeacherTruth | undefined;
  try {
    const task = await openTask({ recipe, options: settings });
    const name = options.split ?? 'test';
    const prepare = (kept?: KeptSplits) => task.prepareData({ ...(kept && { kept }) });
    const { dataset, heads, teacherReads } =
      typeof target === 'string' ? await dataAsInRun(prepare, settings.out, name) : await prepare();
    data = dataset;
    // Where nothing is labelled, all training samples are told of by the teacher.
    const isTaught = heads.every(isTaughtAlone);
    const split = dataset.splits[name === 'train' && !isTaught ? 'labelled' : name];
    requireOutputs(session, heads, model);
    const reads = (batch: Batch) => teacherReads?.batch(batch, split) ?? batch;
    truth = await openTeacherTruth(engine, heads, settings.out, files, reads);
    const checkInterrupted = () => options.signal?.throwIfAborted();
    const read = await tuneHeads({ checkInterrupted }, session, heads, dataset.splits.validation);
    const measuring = new OutputsMeasuring(read);
    const confusion = isOneClass(heads) ? createConfusion(dataset.labels.length) : undefined;
    const fetches = measuring.fetches(session.outputNames);
    let done = 0;
    for (const given of splitBatches(split, ROWS)) {
      checkInterrupted();
      const batch = truth ? await truth.tell(given) : given;
      const answers = await session.run(takenFeeds(session, batch.columns), fetches);
      if (confusion) countClasses(confusion, answers[LOGITS] as Tensor, batch, model);
      measuring.add(answers, batch);
      done += batch.filled;
      options.onEvent?.({
        type: 'progress',
        stage: 'evaluate',
        task: 'answering',
        done,
        total: split.size,
        unit: task.unit,
      });
    }
    const values = measuring.values();
    return {
      split: name,
      model,
      samples: split.size,
      metrics: mainFirst(heads).map((metric) => ({ ...metric, value: values[metric.name] as number })),
      ...(confusion && byClass(confusion, dataset.labels)),
    };
  } finally {
    await truth?.close();
    await session.release();
    data?.close();
  }
}

/** Counts a classifier's answers. Throws LimbeckError `model.classes` for one of other classes. */
function countClasses(confusion: Confusion, logits: Tensor, batch: Batch, model: string): void {
  const { classes } = confusion;
  if (logits.dims[1] !== classes) {
    throw new LimbeckError('model.classes', `the model has ${logits.dims[1]} classes, the data ${classes}`, {
      where: model,
      remedy: 'Measure it on the data that it was made for.',
    });
  }
  for (const row of readLogits(logits, batch)) countAnswer(confusion, row.label, row.answer);
}

function byClass(
  confusion: Confusion,
  labels: readonly string[],
): Required<Pick<EvaluationResult, 'accuracy' | 'macroF1' | 'classes'>> {
  const counts = confusionCounts(confusion);
  return {
    accuracy: accuracy(counts),
    macroF1: macroF1(counts),
    classes: classResults(counts).map(({ support, precision, accuracy: recall, f1 }, i) => ({
      label: labels[i] as string,
      samples: support,
      precision,
      recall,
      f1,
    })),
  };
}

/** Throws LimbeckError `model.no-such-value` for a model that does not have the recipe's outputs. */
function requireOutputs({ outputNames }: Session, heads: readonly Head[], model: string): void {
  const missing = heads.find(({ output }) => !outputNames.includes(output));
  if (!missing) return;
  throw new LimbeckError('model.no-such-value', `the model has no output '${missing.output}'`, {
    where: `${model}: its outputs are ${outputNames.join(', ')}`,
    remedy: 'Measure it on the data that it was made for.',
  });
}
