// The light client: headers verified from the genesis' validators on, reads and outcomes proven.
export * from './client';
export {type EndpointState, LightError, type LightErrorCode} from './error';
export type {BlockResults, BroadcastResult} from './json';
export type {Validator} from './types';
export {VerifiedBlock} from './verify';
