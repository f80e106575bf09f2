// All records that a client reads out of the ledger, each with `decode(kRecord, bytes)`.
export {decode, encode, RecordError, type Codec, type ValueOf} from './codec';
export {CborError} from './cbor';
export * from './params';
export * from './instance';
export * from './session';
export * from './draw';
export * from './keys';
