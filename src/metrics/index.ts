import { accuracy } from './accuracy.ts';
import { auroc } from './auroc.ts';
import { meanAveragePrecision } from './average-precision.ts';
import { expectedCalibrationError } from './calibration-error.ts';
import { pearsonCorrelation, spearmanCorrelation } from './correlation.ts';
import { crossEntropy } from './cross-entropy.ts';
import { detectionF1 } from './detection-f1.ts';
import { detectionPrecision } from './detection-precision.ts';
import { frameAuroc } from './frame-auroc.ts';
import { labelsF1 } from './labels-f1.ts';
import { macroF1 } from './macro-f1.ts';
import { meanNdcg } from './ndcg.ts';
import { neighbourRecall } from './neighbour-recall.ts';
import { pairRecall } from './pair-recall.ts';
import { mae, rmse } from './regression-error.ts';
import { similaritySpearman } from './similarity-spearman.ts';
import { spansF1 } from './span-f1.ts';
import { topKAccuracy } from './top-k.ts';
import { vectorCosine } from './vector-cosine.ts';

export type { Answers, Evaluation, MeasuredBatch, Metric, MetricInfo } from './metric.ts';

/** Makes the metrics that targets have, by what they measure. To add one: a file beside these, and a line here. */
export const METRICS = {
  accuracy,
  macroF1,
  loss: crossEntropy,
  topKAccuracy,
  expectedCalibrationError,
  auroc,
  meanAveragePrecision,
  labelsF1,
  rmse,
  mae,
  pearson: pearsonCorrelation,
  spearman: spearmanCorrelation,
  ndcg: meanNdcg,
  vectorCosine,
  similaritySpearman,
  neighbourRecall,
  pairRecall,
  spansF1,
  frameAuroc,
  detectionPrecision,
  detectionF1,
} as const;
