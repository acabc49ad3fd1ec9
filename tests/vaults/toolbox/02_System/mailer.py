import smtplib
from email.message import EmailMessage


def send(to, subject, body, attachment=None):
    msg = EmailMessage()
    msg["To"], msg["Subject"] = to, subject
    msg.set_content(body)
    with smtplib.SMTP("localhost") as server:
        server.send_message(msg)
