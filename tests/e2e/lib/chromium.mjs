// The system's Chromium: found, never downloaded.
import {accessSync, constants} from 'node:fs';

export function find_chromium() {
  const named = process.env.CHROMIUM;
  const folders = (process.env.PATH ?? '').split(':').filter((folder) => folder !== '');
  const places = ['chromium', 'chromium-browser', 'google-chrome'].flatMap((name) =>
    folders.map((folder) => `${folder}/${name}`),
  );
  return (named ? [named] : places).find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
