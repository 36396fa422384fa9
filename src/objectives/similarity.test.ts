import { describeLayerLoss } from './testing/describe-layer-loss.ts';

describeLayerLoss('similarity', ['text', 'image']);
