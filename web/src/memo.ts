import type {ComponentType} from 'preact';
import {h} from 'preact';
import {useMemo} from 'preact/hooks';

// Redraws only when the text changes.
export function memo(Part: ComponentType<{source: string}>) {
  return ({source}: {source: string}) => useMemo(() => h(Part, {source}), [source]);
}
