import { describeLayerLoss } from './testing/describe-layer-loss.ts';

describeLayerLoss('attentionTransfer', ['image']);
