import { describeLayerLoss } from './testing/describe-layer-loss.ts';

describeLayerLoss('featurePyramid', ['image']);
