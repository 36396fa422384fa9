import { describeLayerLoss } from './testing/describe-layer-loss.ts';

describeLayerLoss('cka', ['text', 'image']);
