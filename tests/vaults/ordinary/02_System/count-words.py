#!/usr/bin/env python3
# counts the words of the given notes, or of all of them
# usage: count-words.py [NOTE...]

import sys, glob

# skip the front matter, it isn't prose
def strip(text):
    if text.startswith('---\n'):
        return text.split('\n---\n', 1)[-1]
    return text

if __name__ == '__main__':
    files = sys.argv[1:] or sorted(glob.glob('**/*.md', recursive=True))
    if not files:
        sys.exit('nothing to count')
    total = 0
    for f in files:
        try:
            n = len(strip(open(f).read()).split())
        except OSError as e:
            print(f, 'skipped:', e.strerror, file=sys.stderr)
            continue
        total += n
        print('%6d %s' % (n, f))
    print('%6d total' % total)
