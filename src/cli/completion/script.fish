# Completes NAME: asks the program, which knows its commands and, from the database, names.
function __NAME_offers
    set -l words (commandline --current-process --tokenize --cut-at-cursor)
    set -l program NAME
    string match --quiet '*/*' -- $words[1]; and test -x $words[1]; and set program $words[1]
    VARIABLE=fish $program -- $words (commandline --current-token --cut-at-cursor) 2>/dev/null
end
complete --command NAME --no-files --keep-order --arguments '(__NAME_offers)'
