import subprocess


def scan_to_note(pdf, title=""):
    text = subprocess.run(["pdftotext", pdf, "-"], capture_output=True, text=True).stdout
    return text
