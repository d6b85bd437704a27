# shellcheck shell=bash
# Completes NAME: asks the program, which knows its commands and, from the database, names.
_NAME() {
    # Bash takes words apart at @, : and =, which addresses and times have in them: here they are whole again.
    local rest=${COMP_LINE:0:COMP_POINT} piece i
    local -a words=()
    for ((i = 0; i <= COMP_CWORD; i++)); do
        piece=${COMP_WORDS[i]}
        if [[ $i -eq 0 || $rest == [[:space:]]* ]]; then
            rest=${rest#"${rest%%[![:space:]]*}"}
            words+=("")
        fi
        [[ $i -eq $COMP_CWORD ]] && piece=$rest
        words[${#words[@]} - 1]+=$piece
        rest=${rest#"$piece"}
    done

    # Bash replaces no more than $2; what stands before that in the last word must not come a second time.
    local index=$((${#words[@]} - 1))
    local kept=${words[index]%"$2"}

    local program=${words[0]/#\~/$HOME} candidate
    [[ $program == */* && -x $program ]] || program=NAME
    COMPREPLY=()
    # The newest come first.
    compopt -o nosort 2>/dev/null
    while IFS= read -r candidate || [[ -n $candidate ]]; do
        candidate=${candidate#"$kept"}
        [[ $candidate == *[=/:] ]] && compopt -o nospace 2>/dev/null
        # A file's name may hold what the shell would run.
        printf -v candidate %q "$candidate"
        COMPREPLY+=("$candidate")
    done < <(_CLAP_IFS=$'\n' _CLAP_COMPLETE_INDEX=$index VARIABLE=bash "$program" -- "${words[@]}" 2>/dev/null)
}
complete -F _NAME NAME
