import { describeLayerLoss } from './testing/describe-layer-loss.ts';

describeLayerLoss('features', ['image']);
