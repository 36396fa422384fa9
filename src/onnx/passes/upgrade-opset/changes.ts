import {
  axisOfTransform,
  boundsToInputs,
  kToInput,
  listsToInputs,
  maskOfNumbers,
  padsToInputs,
  partsOfSplit,
  ratioToInput,
  splitToInput,
} from './attributes-to-inputs.ts';
import type { Change, Changes } from './change.ts';
import { channelsOfGroups, spatialOnly, trainingMode } from './normalization.ts';
import {
  modesOfGridSample,
  placesOfResize,
  placesOfRoiAlign,
  scalesToInput,
  upsampleToResize,
  withoutHalfPixelForNearest,
} from './resize.ts';
import { flattening } from './softmax.ts';

const renamed =
  (opType: string): Change =>
  (emit, node) =>
    emit.push({ ...node, opType });

const REDUCTIONS = 'L1 L2 LogSum LogSumExp Max Mean Min Prod SumSquare';

/**
 * What each version of the standard operators changed for files that were right before (ONNX's Changelog.md).
 * Versions that only took more types, or gave an attribute a default that means what was meant before, are not here.
 */
export const CHANGES: ReadonlyMap<number, Changes> = new Map<number, Changes>([
  [9, { BatchNormalization: spatialOnly, Upsample: scalesToInput }],
  [
    10,
    {
      Dropout: maskOfNumbers,
      Slice: listsToInputs('starts', 'ends', 'axes'),
      TopK: kToInput,
      Upsample: upsampleToResize,
    },
  ],
  [
    11,
    {
      Clip: boundsToInputs,
      Pad: padsToInputs,
      Resize: placesOfResize,
      Scatter: renamed('ScatterElements'),
    },
  ],
  [12, { Dropout: ratioToInput }],
  [
    13,
    {
      Hardmax: flattening,
      LogSoftmax: flattening,
      ReduceSum: listsToInputs('axes'),
      Resize: withoutHalfPixelForNearest,
      Softmax: flattening,
      Split: splitToInput,
      Squeeze: listsToInputs('axes'),
      Unsqueeze: listsToInputs('axes'),
    },
  ],
  [14, { BatchNormalization: trainingMode }],
  [16, { RoiAlign: placesOfRoiAlign }],
  [
    18,
    {
      ...Object.fromEntries(
        REDUCTIONS.split(' ').map((name) => [`Reduce${name}`, listsToInputs('axes')] as const),
      ),
      Split: partsOfSplit,
    },
  ],
  [20, { DFT: axisOfTransform, GridSample: modesOfGridSample }],
  [21, { GroupNormalization: channelsOfGroups }],
]);
